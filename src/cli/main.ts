import { mayColor, readEnvironment } from "../config.ts";
import { version } from "../version.ts";
import { type Command, type CommandIo, UsageError } from "./command.ts";
import { commands } from "./commands.ts";
import { EXIT_USAGE } from "./exit-codes.ts";
import { helpOf, helpOfAll } from "./help.ts";

const OLDEST_NODE = 20;

/** Finds the command and hands over. Gives the exit code; undefined while the daemon runs on. */
export async function main(argv: string[]): Promise<number | undefined> {
  if (Number(process.versions.node.split(".")[0]) < OLDEST_NODE) {
    process.stderr.write(`europa-node needs Node ${OLDEST_NODE} or newer, this is ${process.version}\n`);
    return 1;
  }
  // A reader that has seen enough, such as `head`, is no fault; nobody listening, Node would throw its end at us.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
  const io: CommandIo = {
    environment: readEnvironment(),
    print: (line) => void process.stdout.write(`${line}\n`),
    complain: (line) => void process.stderr.write(`${line}\n`),
    inColor: process.stdout.isTTY === true && mayColor(),
  };
  return dispatch(argv, io);
}

async function dispatch(argv: readonly string[], io: CommandIo): Promise<number | undefined> {
  const typed = argv.filter((word) => !word.startsWith("-"));
  const isHelp = typed[0] === "help";
  const words = isHelp ? typed.slice(1) : typed;
  const found = commandOf(words);
  if (isHelp || argv.includes("--help")) {
    const asked = words.length === 0 ? [] : found === undefined ? under(words) : [found];
    io.print((asked.length === 0 ? helpOfAll(commands) : helpOf(asked)).trimEnd());
    return 0;
  }
  if (words.length === 0 && argv.includes("--version")) {
    io.print(version);
    return 0;
  }
  if (found === undefined) {
    io.complain(unknown(words));
    return EXIT_USAGE;
  }
  try {
    return await found.run(withoutFirst(argv, wordsOf(found).length), io);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    io.complain(`${error.message}; see ${["europa-node", ...wordsOf(found)].join(" ")} --help`);
    return EXIT_USAGE;
  }
}

function wordsOf({ name }: Command): string[] {
  return name === "" ? [] : name.split(" ");
}

/** The command with the longest name that the words begin with; the daemon, when there are none. */
function commandOf(words: readonly string[]): Command | undefined {
  return commands
    .filter((command) => (words.length === 0) === (command.name === ""))
    .filter((command) => wordsOf(command).every((word, index) => words[index] === word))
    .sort((one, other) => other.name.length - one.name.length)[0];
}

/** The commands that share the first word. */
function under([first]: readonly string[]): Command[] {
  return commands.filter((command) => wordsOf(command)[0] === first);
}

/** The commands whose first word goes on where this one ends, or ends before: `sessions` for `session`. */
function alike([first = ""]: readonly string[]): Command[] {
  return commands.filter((command) => {
    const [word = ""] = wordsOf(command);
    return word !== "" && (word.startsWith(first) || first.startsWith(word));
  });
}

function unknown(words: readonly string[]): string {
  const near = (under(words).length > 0 ? under(words) : alike(words)).map(({ name }) => name);
  const there = near.length === 0 ? "" : `, but has ${near.join(", ")}`;
  return `europa-node has no command "${words.join(" ")}"${there}; see europa-node --help`;
}

/** The command's own words may stand among options, as in `--json books`. */
function withoutFirst(argv: readonly string[], words: number): string[] {
  let left = words;
  return argv.filter((word) => word.startsWith("-") || left-- <= 0);
}
