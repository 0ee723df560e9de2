import { changesListing } from "./changes-listing.ts";

export const listingPause = changesListing({
  word: "pause",
  summary: "sell to nobody new, until you resume",
  about: [
    "The listing goes out as sold. Running tunnels, renewals and claims go on, and a paid invoice is honoured. A restart",
    "does not end a pause.",
  ],
});
