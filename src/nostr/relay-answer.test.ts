import { expect, test } from "vitest";
import { readOk } from "./relay-answer.ts";

test.each([
  [true, ""],
  [true, "duplicate: already have this event"],
  [false, "duplicate: already have this event"],
])("OK %s %j is an acknowledgement", (accepted, text) => {
  expect(readOk("ws://r", accepted, text).kind).toBe("acknowledged");
});

test.each([
  ["blocked: you are not on the list", true],
  ["invalid: event is malformed", true],
  ["error: event too large: 70000", true],
  ["invalid: max event size is 65535", true],
  ["pow: difficulty 25 is more than 0", true],
  ["replaced: have newer event", true],
  ["rate-limited: too large a burst", false],
  ["error: could not connect to the database", false],
  ["auth-required: write access only for members", false],
  ["restricted: pay first", false],
  ["invalid: created_at is in the future", false],
  ["", false],
])("%j: permanent %s", (text, permanent) => {
  expect(readOk("ws://r", false, text)).toMatchObject({ kind: "refused", permanent });
});

test("a relay's words are one short line", () => {
  const answer = readOk("ws://r", false, `error: a\nb\u001b[31m${"x".repeat(1000)}`);
  if (answer.kind !== "refused") throw new Error("not refused");
  expect(answer.said).toMatch(/^error: a b \[31mx+$/);
  expect(answer.said.length).toBeLessThanOrEqual(200);
});
