import { changesListing } from "./changes-listing.ts";

export const listingResume = changesListing({
  word: "resume",
  summary: "sell again, after a pause, a retirement or a restore",
  about: ["The listing goes out as it is true now."],
});
