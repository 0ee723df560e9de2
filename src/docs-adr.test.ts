import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

const folder = new URL("../docs/adr/", import.meta.url);

it("numbers each decision once, in its name and in its heading, without a gap", () => {
  const names = readdirSync(folder).sort();
  const numbers = names.map((name) => Number(name.split("-")[0]));
  expect(numbers).toEqual(names.map((_, index) => index + 1));
  const headings = names.map((name) => readFileSync(new URL(name, folder), "utf8").split(".")[0]);
  expect(headings).toEqual(numbers.map((number) => `# ${number}`));
});
