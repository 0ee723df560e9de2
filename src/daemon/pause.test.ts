import { join } from "node:path";
import { expect, it } from "vitest";
import { createFacts } from "../db/facts.ts";
import { openBook } from "../db/open-book.ts";
import { makeTempDir } from "../testing/temp-dir.ts";
import { createPause } from "./pause.ts";

it("stands in the book until it is ended, and tells of each change", async () => {
  const folder = await makeTempDir();
  const book = openBook(join(folder.path, "book.db"));
  let changes = 0;
  const open = () => createPause(createFacts(book), () => void changes++);
  expect(open().cause()).toBeUndefined();
  open().pause("restored");
  expect(open().cause()).toBe("restored");
  open().resume();
  expect(open().cause()).toBeUndefined();
  expect(changes).toBe(2);
  book.close();
  await folder.remove();
});
