import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import type { Writable } from "node:stream";
import { promisify } from "node:util";
import { eventually } from "../eventually.ts";
import { makeTempDir } from "../temp-dir.ts";
import { ROOT } from "./command-blocks.ts";

/** A shell of root's on a machine that nobody prepared, in a checkout of this repository. */
export interface ReaderMachine {
  /** Types lines, and answers to what they ask. Resolves with what was printed; rejects when a command fails. */
  type(lines: string, answers?: readonly string[]): Promise<string>;
  /** Types lines whose last command runs on. Resolves once it has printed this. */
  typeUntil(lines: string, printed: string): Promise<string>;
  /** Ctrl-C. Resolves as `type` does. */
  interrupt(): Promise<string>;
  /** Types lines into a second shell in the checkout. Resolves with stdout; rejects when a command fails. */
  typeBeside(lines: string): Promise<string>;
  /** Puts text into a file there, for root alone, as an editor does. */
  write(path: string, text: string): Promise<void>;
  stop(): Promise<void>;
}

export interface ReaderMachineOptions {
  /** The network namespace that is its network. */
  namespace: string;
  /** For its /etc/hosts. */
  hosts: string;
}

const execute = promisify(execFile);

const STAND_INS = join(import.meta.dirname, "stand-ins");
const PREPARE = join(import.meta.dirname, "prepare-machine.sh");
const TYPED_WITHIN_MS = 200_000;

export async function openReaderMachine(options: ReaderMachineOptions): Promise<ReaderMachine> {
  const prompt = `prompt-${randomUUID()}`;
  const scratch = await makeTempDir();
  const home = homedir();
  const checkout = join(home, "europa-node");
  mkdirSync("/run/wireguard", { recursive: true });
  const inNamespaces = ["ip", "netns", "exec", options.namespace, "unshare", "--mount"];
  const [program = "", ...args] = [...inNamespaces, "bash", PREPARE];
  const environment = {
    PATH: [STAND_INS, dirname(process.execPath), process.env.PATH ?? ""].join(delimiter),
    HOME: home,
    ...withoutRegistry(),
  };
  const prepare = { SCRATCH: scratch.path, CHECKOUT: checkout, ROOT, HOSTS: options.hosts, PROMPT: prompt };
  const shell = spawn(program, args, {
    stdio: ["pipe", "pipe", "pipe", "pipe"],
    env: { ...environment, ...prepare },
  });
  const commands = shell.stdio[3] as Writable;
  commands.on("error", () => undefined);
  shell.stdin?.on("error", () => undefined);
  let printed = "";
  for (const stream of [shell.stdout, shell.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
    });
  }
  const hasEnded = () => shell.exitCode !== null || shell.signalCode !== null;

  async function until(text: string, from: number): Promise<string> {
    const isThere = () => printed.indexOf(text, from) >= 0;
    await eventually(() => isThere() || hasEnded(), TYPED_WITHIN_MS).catch(() => undefined);
    if (!isThere()) throw new Error(`the reader saw no ${text}:\n${printed.slice(from)}`);
    return printed.slice(from).replace(prompt, "");
  }

  function send(lines: string, answers: readonly string[] = []): number {
    const from = printed.length;
    commands.write(`${lines}\0`);
    for (const answer of answers) shell.stdin?.write(`${answer}\n`);
    return from;
  }

  const typeBeside = async (lines: string): Promise<string> => {
    const { stdout } = await execute("nsenter", [
      ...["--target", String(shell.pid), "--mount", "--net", "--", "env"],
      ...Object.entries(environment).map(([name, value]) => `${name}=${value}`),
      ...["bash", "--norc", "-ec", `cd ${checkout}\n${lines}`],
    ]);
    return stdout;
  };

  return {
    type: (lines, answers) => until(prompt, send(lines, answers)),
    typeUntil: (lines, text) => until(text, send(lines)),
    async interrupt() {
      const from = printed.length;
      for (const pid of childrenOf(shell)) process.kill(pid, "SIGINT");
      return until(prompt, from);
    },
    typeBeside,
    async write(path, text) {
      await typeBeside(`umask 077; mkdir -p "$(dirname ${path})"; printf %s ${quoted(text)} >${path}`);
    },
    async stop() {
      if (!hasEnded() && shell.kill("SIGKILL")) await once(shell, "exit");
      await scratch.remove();
    },
  };
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** What runs in the foreground. */
function childrenOf({ pid }: ChildProcess): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
    .trim()
    .split(" ")
    .filter(Boolean)
    .map(Number);
}

/** npm and pnpm take what this repository was installed with: the machine has no way to their registry. */
function withoutRegistry(): Record<string, string> {
  const store = /"?storeDir"?: "?([^",\n]+)/.exec(
    readFileSync(join(ROOT, "node_modules/.modules.yaml"), "utf8"),
  )?.[1];
  return { npm_config_offline: "true", npm_config_store_dir: dirname(store ?? "") };
}
