import type { Facts } from "../db/facts.ts";

/** Facts without a book. */
export function factsInMemory(): Facts {
  const facts = new Map<string, string>();
  return {
    get: (name) => facts.get(name),
    set: (name, value) => void facts.set(name, value),
    secret: () => Buffer.alloc(32),
  };
}
