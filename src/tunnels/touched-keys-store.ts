import { randomUUID } from "node:crypto";
import type { Book } from "../db/open-book.ts";

const WRITES = [
  ["INSERT ON sessions", "NEW.client_identity"],
  ["DELETE ON sessions", "OLD.client_identity"],
  [
    "UPDATE OF client_identity, assigned_ip, status ON sessions",
    "OLD.client_identity",
    "NEW.client_identity",
  ],
  ["INSERT ON departing_peers", "NEW.public_key"],
  ["DELETE ON departing_peers", "OLD.public_key"],
] as const;

/**
 * Keys of which the book says something else than it did: who has an address, in what state, who has to go. SQLite
 * notes them itself, whichever of our stores writes. A write that is taken back leaves its key here, which does no harm.
 */
export function createTouchedKeysStore(book: Book) {
  let touched = new Set<string>();
  // Function and triggers are the connection's, and these are this store's alone.
  const note = `touched_${randomUUID().replaceAll("-", "")}`;
  book.function(note, (key: unknown) => {
    if (typeof key === "string") touched.add(key);
    return null;
  });
  for (const [index, [event, ...keys]] of WRITES.entries()) {
    const calls = keys.map((key) => `${note}(${key})`).join(", ");
    book.exec(`CREATE TEMP TRIGGER ${note}_${index} AFTER ${event} BEGIN SELECT ${calls}; END`);
  }

  const dataVersion = () => book.pragma("data_version", { simple: true });
  let lastVersion = dataVersion();

  return {
    /** Another process wrote to the book since it was asked last: what, nobody notes. */
    othersWrote(): boolean {
      const before = lastVersion;
      lastVersion = dataVersion();
      return lastVersion !== before;
    },
    /** Those since it was asked last. */
    takeTouchedKeys(): ReadonlySet<string> {
      const taken = touched;
      touched = new Set();
      return taken;
    },
  };
}
