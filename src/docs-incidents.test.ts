import { expect, it } from "vitest";
import { troubleEvents } from "./testing/logged-events.ts";
import { readDocument } from "./testing/reader/command-blocks.ts";

const DOCUMENT = "docs/incidents.md";
const headings = [...readDocument(DOCUMENT).matchAll(/^### `([a-z0-9-]+)`$/gm)].map(([, name]) => name);

it("every event that means trouble has a section in docs/incidents.md, and every section an event", () => {
  expect([...headings].sort()).toEqual(troubleEvents());
});

it("finds events at a level that is chosen, and in objects that are logged elsewhere", () => {
  expect(troubleEvents()).toEqual(
    expect.arrayContaining(["crashed", "node-stream-ended", "request-failed", "mint-wrong"]),
  );
  expect(troubleEvents()).not.toContain("listening");
});
