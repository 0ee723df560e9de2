import { changesListing } from "./changes-listing.ts";

export const listingPublish = changesListing({
  word: "publish",
  summary: "sign and send the listing as it is true now",
  about: [
    "It goes out by itself at each start, every listing.refresh_minutes, and when something changes. A retired listing is",
    "taken up again; a paused one goes out as sold.",
  ],
});
