import type { Facts } from "../db/facts.ts";
import { StartRefused } from "./start-refused.ts";

const OPERATOR = "operator-pubkey";

/** The book belongs to one operator: its sales name his listing, its proofs are in his wallet. */
export function pinIdentity(facts: Facts, pubkey: string, newIdentity: boolean): void {
  const pinned = facts.get(OPERATOR);
  if (pinned !== undefined && pinned !== pubkey && !newIdentity) {
    throw new StartRefused(
      `nostr.nsec is another account than this database's (${pinned.slice(0, 12)}…): ` +
        "put the former key back, or start once with --new-identity if the change is meant",
      78,
    );
  }
  if (pinned !== pubkey) facts.set(OPERATOR, pubkey);
}
