import { expect, it } from "vitest";
import { commands } from "./commands.ts";
import { helpOf, helpOfAll } from "./help.ts";

it("lists every command once, each line for a terminal", () => {
  const lines = helpOfAll(commands).split("\n");
  for (const { name, summary } of commands) {
    expect(lines.filter((line) => line.includes(`  ${name}`) && line.includes(summary))).toHaveLength(1);
  }
  expect(lines.filter((line) => line.length > 120)).toEqual([]);
  expect(new Set(commands.map(({ name }) => name)).size).toBe(commands.length);
});

it.each(commands.map((command) => [command.name || "the daemon", command] as const))(
  "%s: says what it takes, and what every exit code means",
  (_name, command) => {
    const help = helpOf([command]);
    expect(help).toContain(command.summary);
    for (const option of Object.keys(command.options)) expect(help).toContain(`--${option}`);
    for (const [code, meaning] of Object.entries(command.exits)) {
      expect(help).toMatch(new RegExp(`^  ${code} +${meaning}$`, "m"));
    }
    expect(Object.keys(command.exits)).toEqual(expect.arrayContaining(["0", "64"]));
  },
);
