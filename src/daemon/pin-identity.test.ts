import { expect, it } from "vitest";
import { factsInMemory } from "../testing/facts-in-memory.ts";
import { pinIdentity } from "./pin-identity.ts";
import { StartRefused } from "./start-refused.ts";

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
