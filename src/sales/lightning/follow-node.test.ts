import { pino } from "pino";
import { expect, it } from "vitest";
import { followNode, pauseAfter } from "./follow-node.ts";
import { NodeError } from "./ports.ts";

const times = { streamPauseMs: 500, longestStreamPauseMs: 30_000 };

it("pauses for twice as long after each stream that breaks soon, up to the longest", () => {
  const pauses: number[] = [];
  for (let round = 0; round < 9; round++) pauses.push(pauseAfter(pauses.at(-1), 10, times));
  expect(pauses).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
});

it("begins with the shortest pause again after a stream that lasted", () => {
  expect(pauseAfter(30_000, 30_001, times)).toBe(500);
  expect(pauseAfter(30_000, 30_000, times)).toBe(30_000);
});

it("takes the cursor anew for each stream, tells the operator what is no fault of the node's, and never rejects", async () => {
  const lines: string[] = [];
  const logger = pino({ level: "info" }, { write: (line: string) => void lines.push(line) });
  const stopping = new AbortController();
  const cursors: (number | undefined)[] = [];
  const failures = [new NodeError("silent", "no answer"), new TypeError("a secret"), undefined];
  await followNode(
    {
      node: {
        async follow(cursor) {
          cursors.push(cursor);
          if (cursors.length > failures.length) return stopping.abort();
          const failure = failures[cursors.length - 1];
          if (failure) throw failure;
        },
      },
      cursor: () => cursors.length,
      report: () => undefined,
      nowMs: () => 0,
      logger,
      times: { streamPauseMs: 1, longestStreamPauseMs: 2 },
    },
    stopping.signal,
  );
  expect(cursors).toEqual([0, 1, 2, 3]);
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { event: "node-stream-ended", error: "TypeError" },
  ]);
  expect(lines.join()).not.toContain("secret");
});
