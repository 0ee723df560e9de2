import { execFile, spawn } from "node:child_process";
import { createECDH } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { decode, npubEncode } from "nostr-tools/nip19";
import { getPublicKey } from "nostr-tools/pure";
import { parse } from "smol-toml";
import { makeTempDir } from "./temp-dir.ts";
import { findTool } from "./tools.ts";

const ROOT = join(import.meta.dirname, "../..");

/** An operator's folder that `scripts/bootstrap.sh` is run for. */
export interface BootstrapFolder {
  readonly path: string;
  /** Runs it with nothing of this process's environment but PATH. */
  run(options?: BootstrapRun): Promise<BootstrapEnd>;
  /** What `europa-node check-config` prints and ends with, for the config in the folder. */
  checkConfig(): Promise<BootstrapEnd>;
  read(file: string): string;
  /** The config as TOML has it. */
  config(): unknown;
  /** Every file and folder below, with mode and content, sorted. */
  snapshot(): Entry[];
  /** Modes by path, as `chmod` takes them. */
  modes(): Record<string, string>;
  /** Puts a file there before a run, mode 0600. */
  put(file: string, content: string): void;
  remove(): Promise<void>;
}

export interface BootstrapRun {
  /** Shell and its arguments. Default `sh`. */
  shell?: readonly string[];
  /** Default `--yes --for host`. */
  args?: readonly string[];
  env?: Record<string, string>;
  /** What is typed; then the input ends. */
  input?: string;
  /** The repository's root in the place of this one. */
  root?: string;
}

export interface BootstrapEnd {
  exitCode: number;
  stdout: string;
  stderr: string;
}

export interface Entry {
  path: string;
  mode: string;
  /** Undefined for what is no file. */
  content: string | undefined;
}

export async function makeBootstrapFolder(): Promise<BootstrapFolder> {
  const folder = await makeTempDir();
  // With a space and a quote in it, as a home folder may have.
  const path = join(folder.path, "the operator's folder");
  return {
    path,
    run: (options = {}) => runBootstrap(path, options),
    checkConfig: () =>
      end(process.execPath, [join(ROOT, "dist/index.cjs"), "check-config"], {
        PATH: process.env.PATH ?? "",
        EUROPA_NODE_CONFIG: join(path, "config/config.toml"),
      }),
    read: (file) => readFileSync(join(path, file), "utf8"),
    config: () => parse(readFileSync(join(path, "config/config.toml"), "utf8")),
    snapshot: () => snapshot(path),
    modes: () => Object.fromEntries(snapshot(path).map((entry) => [entry.path, entry.mode])),
    put(file, content) {
      mkdirSync(dirname(join(path, file)), { recursive: true, mode: 0o700 });
      writeFileSync(join(path, file), content, { mode: 0o600 });
    },
    remove: folder.remove,
  };
}

function runBootstrap(path: string, options: BootstrapRun): Promise<BootstrapEnd> {
  const { shell = ["sh"], args = ["--yes", "--for", "host"], root = ROOT } = options;
  const [program = "sh", ...shellArgs] = shell;
  return end(
    findTool(program) ?? program,
    [...shellArgs, join(root, "scripts/bootstrap.sh"), ...args],
    { PATH: process.env.PATH ?? "", TARGET_DIR: path, ...options.env },
    options.input,
  );
}

function end(
  program: string,
  args: readonly string[],
  env: Record<string, string>,
  input = "",
): Promise<BootstrapEnd> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: "pipe", timeout: 60_000 });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    // It may end before it has read all.
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    child.once("error", reject);
    child.once("close", (code) => resolve({ exitCode: code ?? -1, stdout, stderr }));
  });
}

function snapshot(folder: string): Entry[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .sort()
    .map((path) => {
      const stats = statSync(join(folder, path));
      return {
        path,
        mode: (stats.mode & 0o777).toString(8),
        content: stats.isFile() ? readFileSync(join(folder, path), "utf8") : undefined,
      };
    });
}

/** A folder of programs that holds busybox's own, and from elsewhere only those named: a PATH without GNU. */
export async function makeBusyboxPath(folder: string, others: readonly string[]): Promise<string> {
  const busybox = findTool("busybox");
  if (busybox === undefined) throw new Error("busybox is not installed");
  mkdirSync(folder);
  const { stdout } = await promisify(execFile)(busybox, ["--list"]);
  for (const applet of stdout.split("\n").filter((name) => name !== "" && !others.includes(name))) {
    symlinkSync(busybox, join(folder, applet));
  }
  for (const name of others) symlinkSync(findTool(name) ?? name, join(folder, name));
  return folder;
}

/** Of an `nsec1…` or 64 hex. */
export function npubOf(nsec: string): string {
  const text = nsec.trim();
  const decoded = text.startsWith("nsec1") ? decode(text) : undefined;
  return npubEncode(getPublicKey(decoded?.type === "nsec" ? decoded.data : Buffer.from(text, "hex")));
}

/** The compressed point of a private key of secp256k1, 66 hex. */
export function pointOf(privateKeyHex: string): string {
  const pair = createECDH("secp256k1");
  pair.setPrivateKey(privateKeyHex.trim(), "hex");
  return pair.getPublicKey("hex", "compressed");
}
