import { version } from "../version.ts";
import type { Command } from "./command.ts";

const around = `\
europa-node <command> --help says more of each, and what its exit codes mean.
The config is read from EUROPA_NODE_CONFIG, or /etc/europa-node/config.toml.
LOG_LEVEL sets the log's level; EUROPA_OPERATOR_WIREGUARD_MODE=in-memory runs without WireGuard.
Exit codes: 0 ended as asked, 1 could not run, 64 wrong arguments, 69 no daemon answers, 78 wrong configuration;
1 and 2 also say what a command found.
`;

/** `europa-node --help`: every command in a line, under its group, in the order of the table. */
export function helpOfAll(commands: readonly Command[]): string {
  const groups = [...new Set(commands.map(({ group }) => group))];
  const listed = groups.flatMap((group) => [
    `${group}:`,
    ...inPairs(commands.filter((command) => command.group === group).flatMap(lines), 2),
    "",
  ]);
  return [
    `europa-node ${version}: sells WireGuard tunnels over Nostr, for ecash and over Lightning.`,
    "",
    ...listed,
    around,
  ].join("\n");
}

/** `europa-node <command> --help`; for the first word of several commands, of each. */
export function helpOf(commands: readonly Command[]): string {
  return commands.map(helpOfOne).join("\n");
}

function helpOfOne(command: Command): string {
  const args = Object.entries(command.arguments).map(([name, { summary }]) => [name, summary] as const);
  const exits = Object.entries(command.exits).map(([code, meaning]) => [code, meaning] as const);
  const options = optionLines(command);
  return [
    `europa-node ${usage(command)}: ${command.summary}`,
    "",
    ...(command.about === undefined ? [] : [...command.about, ""]),
    ...(args.length + options.length === 0 ? [] : [...inPairs([...args, ...options], 2), ""]),
    "Exit codes:",
    ...inPairs(exits, 2),
    "",
  ].join("\n");
}

/** The daemon's own flags are listed with it: nobody looks for them behind another `--help`. */
function lines(command: Command): [left: string, right: string][] {
  if (command.name !== "") return [[usage(command), command.summary]];
  return [
    ["europa-node", command.summary],
    ...optionLines(command),
    ["--version, --help", "print it, and run nothing"],
  ];
}

function usage({ name, arguments: args, options }: Command): string {
  const needed = Object.entries(args).map(([arg, { optional }]) => (optional ? `[${arg}]` : `<${arg}>`));
  return [name, ...needed, ...(options.json === undefined ? [] : ["[--json]"])].join(" ");
}

function optionLines({ options }: Command): [left: string, right: string][] {
  return Object.entries(options).map(([name, { value, summary }]) => [
    value === undefined ? `--${name}` : `--${name} <${value}>`,
    summary,
  ]);
}

function inPairs(pairs: readonly (readonly [left: string, right: string])[], indent: number): string[] {
  const width = Math.max(...pairs.map(([left]) => left.length));
  return pairs.map(([left, right]) => `${" ".repeat(indent)}${left.padEnd(width)}  ${right}`);
}
