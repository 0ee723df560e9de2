import { expect, it } from "vitest";
import { commands } from "./cli/commands.ts";
import { readDocument } from "./testing/reader/command-blocks.ts";

/** Said once, for all commands. */
const GENERAL = ["64", "69", "78"];

const sections = new Map(
  readDocument("docs/cli.md")
    .split(/^### `/m)
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf("`")), section]),
);

it.each(commands.filter(({ name }) => name !== "").map((command) => [command.name, command] as const))(
  "docs/cli.md has a section on %s, with what it takes, its JSON, and every exit code",
  (name, command) => {
    const [usage, section = ""] =
      [...sections].find(([heading]) => `${heading} `.startsWith(`${name} `)) ?? [];
    expect(usage).toBeDefined();
    for (const argument of Object.keys(command.arguments))
      expect(usage).toMatch(new RegExp(`[<[]${argument}[>\\]]`));
    expect(section.includes("`--json`: ")).toBe("json" in command.options);
    for (const [code, meaning] of Object.entries(command.exits)) {
      if (!GENERAL.includes(code)) expect(section).toContain(`${code} ${meaning}`);
    }
  },
);

it("docs/cli.md has no section on a command that is none", () => {
  const names = commands.map(({ name }) => name);
  expect([...sections.keys()].filter((usage) => !names.includes(usage.split(/ [<[-]/)[0] ?? ""))).toEqual([]);
});
