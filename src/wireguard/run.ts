import { execFile } from "node:child_process";

/** Why a command came to nothing, as far as it can be told without repeating what the command printed. */
export type CommandFault = "not-found" | "no-permission" | "no-device" | "no-object" | "timed-out" | "failed";

/**
 * Names the program, its exit code and one of our own words. Never arguments or output, and no `cause`:
 * `wg`'s errors print keys, `wg show dump` prints the private one, and Node's own error carries both.
 */
export class CommandFailure extends Error {
  constructor(
    readonly program: string,
    readonly exitCode: number | undefined,
    readonly fault: CommandFault,
  ) {
    super(`${program} failed (${exitCode === undefined ? fault : `exit code ${exitCode}`})`);
    this.name = "CommandFailure";
  }
}

/**
 * Runs a program with an argument array, and `input` on its stdin, and gives back its stdout. Throws `CommandFailure`,
 * nothing else.
 */
export type Run = (program: string, args: readonly string[], input?: string) => Promise<string>;

interface RunLimits {
  timeoutMs?: number;
  /** A dump of a full /16 is about 10 MiB. */
  maxOutputBytes?: number;
}

export function createRun({ timeoutMs = 10_000, maxOutputBytes = 32 * 1024 * 1024 }: RunLimits = {}): Run {
  return (program, args, input) =>
    new Promise((resolve, reject) => {
      try {
        const child = execFile(
          program,
          [...args],
          { timeout: timeoutMs, killSignal: "SIGKILL", maxBuffer: maxOutputBytes, shell: false },
          (error, stdout, stderr) => {
            if (error === null) resolve(stdout);
            else reject(failureOf(program, error, stderr));
          },
        );
        // One that has ended reads no further: its exit code tells.
        child.stdin?.on("error", () => {}).end(input);
      } catch {
        // Node throws E2BIG and bad arguments at once, with the arguments in the error.
        reject(new CommandFailure(program, undefined, "failed"));
      }
    });
}

/** The same runner behind a wrapper such as `["ip", "netns", "exec", "name"]`. */
export function withPrefix(run: Run, prefix: readonly string[]): Run {
  const [wrapper, ...wrapperArgs] = prefix;
  if (wrapper === undefined) return run;
  return (program, args, input) => run(wrapper, [...wrapperArgs, program, ...args], input);
}

interface ExecError {
  code?: string | number | null;
  killed?: boolean;
}

function failureOf(program: string, error: ExecError, stderr: string): CommandFailure {
  if (typeof error.code === "number") return new CommandFailure(program, error.code, faultIn(stderr));
  if (error.code === "ENOENT" || error.code === "EACCES") {
    return new CommandFailure(program, undefined, "not-found");
  }
  const overran = error.code === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER";
  return new CommandFailure(program, undefined, error.killed === true && !overran ? "timed-out" : "failed");
}

/** `wg`, `ip` and `nft` end with 1 whatever happened, and never translate the system's error texts. */
function faultIn(stderr: string): CommandFault {
  if (/Operation not permitted|Permission denied/.test(stderr)) return "no-permission";
  if (/No such device|not supported|does not exist|Cannot find device/.test(stderr)) return "no-device";
  if (/No such file or directory/.test(stderr)) return "no-object";
  return "failed";
}
