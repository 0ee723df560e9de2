import { parseArgs } from "node:util";
import type { Environment } from "../config.ts";
import { EXIT_USAGE } from "./exit-codes.ts";

export interface CommandIo {
  environment: Environment;
  /** One line to stdout, without its end. */
  print(line: string): void;
  /** One line to stderr. */
  complain(line: string): void;
  /** stdout is a terminal, and nobody has asked for no colours. */
  inColor: boolean;
}

interface Argument {
  summary: string;
  optional?: true;
}

/** A switch, unless `value` names what it takes. */
interface Option {
  summary: string;
  value?: string;
}

type Arguments = Record<string, Argument>;
type Options = Record<string, Option>;

/** What was typed, by the names of arguments and options. */
type Given<A extends Arguments, O extends Options> = {
  [Name in keyof A]: A[Name] extends { optional: true } ? string | undefined : string;
} & {
  [Name in keyof O]: O[Name] extends { value: string } ? string | undefined : boolean;
};

interface CommandText {
  /** As it is typed, after `europa-node`; empty for the daemon itself. */
  name: string;
  /** The heading under which `--help` lists it. */
  group: string;
  /** One line, which goes on from the name. */
  summary: string;
  /** What the one line leaves out. */
  about?: readonly string[];
  /** What each exit code means. The one for wrong arguments adds itself. */
  exits: Readonly<Record<number, string>>;
}

export interface Command extends CommandText {
  arguments: Arguments;
  options: Options;
  /** `argv` without the command's name. Undefined while the daemon runs on. Throws `UsageError`. */
  run(argv: readonly string[], io: CommandIo): Promise<number | undefined>;
}

/** Wrong arguments: one line that names them. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UsageError";
  }
}

/** For every command that prints data. */
export const json = { summary: "JSON instead of words" } as const;

export function command<const A extends Arguments, const O extends Options>(
  spec: CommandText & {
    arguments?: A;
    options?: O;
    run(given: Given<A, O>, io: CommandIo): Promise<number | undefined> | number;
  },
): Command {
  const args: Arguments = spec.arguments ?? {};
  const options: Options = spec.options ?? {};
  return {
    ...spec,
    arguments: args,
    options,
    exits: { ...spec.exits, [EXIT_USAGE]: "wrong arguments" },
    run: async (argv, io) => spec.run(parse(argv, args, options) as Given<A, O>, io),
  };
}

/** Of an option that takes a count. */
export function wholeNumber(option: string, text: string, most: number): number {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > most)
    throw new UsageError(`${option} must be a whole number from 1 to ${most}, not "${text}"`);
  return number;
}

function parse(argv: readonly string[], args: Arguments, options: Options): Record<string, unknown> {
  const { values, positionals } = parseStrictly(argv, options);
  const names = Object.keys(args);
  const missing = names.find((name, index) => !positionals[index] && args[name]?.optional !== true);
  if (missing !== undefined) throw new UsageError(`<${missing}> is missing: ${args[missing]?.summary}`);
  const beyond = positionals[names.length];
  if (beyond !== undefined) throw new UsageError(`"${beyond}" is one argument too many`);
  return { ...values, ...Object.fromEntries(names.map((name, index) => [name, positionals[index]])) };
}

function parseStrictly(argv: readonly string[], options: Options) {
  const kinds = Object.entries(options).map(([name, { value }]) => [
    name,
    value === undefined ? { type: "boolean", default: false } : { type: "string" },
  ]);
  try {
    return parseArgs({ args: [...argv], allowPositionals: true, options: Object.fromEntries(kinds) });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // What follows Node's first sentence is for programs that take any option.
    throw new UsageError(error.message.split(/\.\s/)[0] ?? "wrong arguments");
  }
}
