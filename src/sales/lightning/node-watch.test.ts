import { pino } from "pino";
import { beforeEach, expect, it } from "vitest";
import { createNodeWatch, type NodeWatch } from "./node-watch.ts";

let lines: { level: number; event: string; trouble?: string }[];
let trouble: string | undefined;
let watch: NodeWatch;
beforeEach(() => {
  lines = [];
  trouble = undefined;
  const logger = pino({ level: "info" }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  watch = createNodeWatch({ probe: async () => trouble }, logger);
});

it("sells nothing before the node was asked", async () => {
  expect(watch.trouble()).toContain("not been asked");
  expect(await watch.refresh()).toBe(true);
  expect(watch.trouble()).toBeUndefined();
  expect(lines).toEqual([]);
});

it("tells the operator once what is wrong, and once that it is well again", async () => {
  await watch.refresh();
  trouble = "the wallet is locked";
  expect([await watch.refresh(), await watch.refresh()]).toEqual([true, false]);
  expect(watch.trouble()).toBe(trouble);
  trouble = "nobody answers";
  expect(await watch.refresh()).toBe(true);
  trouble = undefined;
  expect([await watch.refresh(), await watch.refresh()]).toEqual([true, false]);
  expect(lines).toMatchObject([
    { event: "node-trouble", trouble: "the wallet is locked" },
    { event: "node-trouble", trouble: "nobody answers" },
    { event: "node-well" },
  ]);
});
