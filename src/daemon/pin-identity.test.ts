import { expect, it } from "vitest";
import type { Facts } from "../db/facts.ts";
import { pinIdentity } from "./pin-identity.ts";
import { StartRefused } from "./start-refused.ts";

function factsInMemory(): Facts {
  const facts = new Map<string, string>();
  return {
    get: (name) => facts.get(name),
    set: (name, value) => void facts.set(name, value),
    secret: () => Buffer.alloc(32),
  };
}

const first = "aa".repeat(32);
const second = "bb".repeat(32);

it("holds the book to the account that it began with, unless a change is meant", () => {
  const facts = factsInMemory();
  pinIdentity(facts, first, false);
  pinIdentity(facts, first, false);
  expect(() => pinIdentity(facts, second, false)).toThrow(StartRefused);
  pinIdentity(facts, second, true);
  pinIdentity(facts, second, false);
  expect(() => pinIdentity(facts, first, false)).toThrow(/--new-identity/);
});
