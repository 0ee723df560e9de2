import { changesListing } from "./changes-listing.ts";

export const listingRetire = changesListing({
  word: "retire",
  summary: "have the relays delete the listing, and sell to nobody new",
  about: [
    "A relay that knows NIP-09 deletes it; one that does not goes on showing it, so pause instead where that matters. It",
    "stays retired over restarts, until you resume or publish. Running tunnels, renewals and claims go on.",
  ],
});
