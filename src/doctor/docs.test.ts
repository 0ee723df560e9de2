import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { GROUPS } from "./check.ts";
import { checks } from "./checks.ts";

const docs = readFileSync(join(import.meta.dirname, "../../docs/doctor.md"), "utf8");
const e2e = join(import.meta.dirname, "../e2e");

/** The rows of the table under a heading, cell by cell. */
function rowsUnder(heading: string): string[][] {
  const section = docs.split(`## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  const rows = section.split("\n").filter((line) => line.startsWith("|"));
  return rows.slice(2).map((row) =>
    row
      .split("|")
      .map((cell) => cell.trim())
      .slice(1, -1),
  );
}

it("docs/doctor.md lists the checks that there are, in their order", () => {
  expect(rowsUnder("Checks").map(([name]) => name)).toEqual(checks.map(({ name }) => `\`${name}\``));
});

it("groups stand together", () => {
  const seen = checks.map(({ group }) => group).filter((group, index, all) => group !== all[index - 1]);
  expect(seen).toEqual([...GROUPS]);
});

it("each fault of docs/doctor.md is put in by a test, and each of the tests' is there", () => {
  const tests = readdirSync(e2e).filter((file) => /^doctor-.*\.test\.ts$/.test(file));
  const put = tests.flatMap((file) => {
    const text = readFileSync(join(e2e, file), "utf8");
    return [...text.matchAll(/title: "(.+)",\n\s+check: "(.+)",/g)].map(([, title, check]) => [
      title,
      `\`${check}\``,
    ]);
  });
  const listed = rowsUnder("Faults").map(([title, check]) => [title, check]);
  expect(put.length).toBeGreaterThanOrEqual(25);
  expect(listed.toSorted()).toEqual(put.toSorted());
});
