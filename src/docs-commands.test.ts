import { expect, it } from "vitest";
import { documents, unmarkedBlocks } from "./testing/reader/command-blocks.ts";
import { blocksOf, unlisted } from "./testing/reader/reading.ts";
import { notTyped, typedAnywhere } from "./testing/reader/reading-list.ts";

const listed = [...typedAnywhere, ...Object.keys(notTyped)];

it("every block of commands in README and docs is typed by a test, or listed with the reason why not", () => {
  expect(unlisted(listed), "put these into src/testing/reader/reading-list.ts").toEqual([]);
});

it("every entry of the lists means one block", () => {
  expect(listed.filter((entry) => blocksOf(entry).length !== 1)).toEqual([]);
  expect(typedAnywhere.filter((entry) => entry in notTyped)).toEqual([]);
});

it("every block says what it is: sh and console are typed, anything else is not", () => {
  expect(documents().flatMap(unmarkedBlocks)).toEqual([]);
});
