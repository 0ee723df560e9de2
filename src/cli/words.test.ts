import { expect, it } from "vitest";
import { ago, counted, moment, size, span } from "./words.ts";

it("says times to the minute, in UTC", () => {
  expect(moment(1_800_000_000)).toBe("2027-01-15 08:00 UTC");
});

it.each([
  [0, "0 s"],
  [59, "59 s"],
  [60, "1 min"],
  [3599, "59 min"],
  [3600, "1 h"],
  [3661, "1 h 1 min"],
  [86_400 + 59, "1 d"],
  [3 * 86_400 + 4 * 3600 + 1800, "3 d 4 h"],
  [-5, "0 s"],
])("span of %i s: %s", (seconds, said) => {
  expect(span(seconds)).toBe(said);
});

it("a time to come is not in the past", () => {
  expect([ago(100, 160), ago(100, 40)]).toEqual(["1 min ago", "0 s ago"]);
});

it.each([
  [0, "0 B"],
  [1023, "1023 B"],
  [2 ** 30, "1 GiB"],
  [1.25 * 2 ** 30, "1.3 GiB"],
  [5 * 2 ** 40, "5 TiB"],
])("%i bytes: %s", (bytes, said) => {
  expect(size(bytes)).toBe(said);
});

it("one is not many", () => {
  expect([counted(1, "sale"), counted(0, "sale"), counted(2, "entry", "entries")]).toEqual([
    "1 sale",
    "0 sales",
    "2 entries",
  ]);
});
