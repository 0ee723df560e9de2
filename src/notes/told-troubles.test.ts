import { expect, it } from "vitest";
import { factsInMemory } from "../testing/facts-in-memory.ts";
import { createToldTroubles } from "./told-troubles.ts";
import type { Trouble } from "./trouble-board.ts";

const disk: Trouble = { name: "database", words: "full", event: "database-trouble", since: 1_800_000_000 };

it("outlives a restart, and is written only when a trouble comes or goes", () => {
  const facts = factsInMemory();
  let writes = 0;
  const { set } = facts;
  facts.set = (name, value) => {
    writes++;
    return set(name, value);
  };
  const told = createToldTroubles(facts);
  expect(told.read()).toEqual([]);
  told.keep([]);
  expect(writes).toBe(0);
  told.keep([disk]);
  for (let n = 0; n < 10; n++) told.keep([{ ...disk, words: `full for ${n} seconds` }]);
  expect(writes).toBe(1);

  const later = createToldTroubles(facts);
  expect(later.read()).toEqual([disk]);
  later.keep([disk]);
  expect(writes).toBe(1);
  later.keep([]);
  expect(createToldTroubles(facts).read()).toEqual([]);
});
