import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { CommandFailure, createRun, withPrefix } from "./run.ts";

const SECRET = "c2VjcmV0LWtleS10aGF0LW5vLWxvZy1tYXktc2hvdyE=";

async function failureOf(running: Promise<string>): Promise<CommandFailure> {
  const error: unknown = await running.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof CommandFailure)) throw new Error("no CommandFailure was thrown");
  return error;
}

const script = (code: string, ...args: string[]) => [process.execPath, ["-e", code, ...args]] as const;

describe("run", () => {
  const run = createRun();

  it("gives back stdout, and arguments as they are", async () => {
    const output = await run(...script("process.stdout.write(process.argv.at(-1))", "a; echo b $HOME"));
    expect(output).toBe("a; echo b $HOME");
  });

  it("gives a program its input, and takes it well when nobody reads that", async () => {
    expect(await run("cat", [], "line\n")).toBe("line\n");
    expect(await run("true", [], "x".repeat(1_000_000))).toBe("");
  });

  it.each([
    ["Error: No such file or directory", "no-object"],
    ["Unable to access interface: Operation not permitted", "no-permission"],
    ["Unable to access interface: Permission denied", "no-permission"],
    ["Unable to access interface: No such device", "no-device"],
    ["Unable to access interface: Protocol not supported", "no-device"],
    ['Device "wg0" does not exist.', "no-device"],
    ["Key is not the correct length or format", "failed"],
  ])("reads '%s' as %s", async (said, fault) => {
    const failure = await failureOf(
      run(...script(`console.error(process.argv.at(-1)); process.exit(1)`, said)),
    );
    expect(failure).toMatchObject({ exitCode: 1, fault });
  });

  it("never repeats what was printed or asked, in any property of the error", async () => {
    const code = "console.log(process.argv.at(-1)); console.error(process.argv.at(-1)); process.exit(3)";
    const failure = await failureOf(run(...script(code, SECRET)));
    expect(failure.exitCode).toBe(3);
    expect(inspect(failure, { depth: 9, showHidden: true })).not.toContain(SECRET);
  });

  it("hides the arguments of a command that cannot even be started", async () => {
    for (const args of [[SECRET, "x".repeat(3_000_000)], [`${SECRET}\0`]]) {
      const failure = await failureOf(run(process.execPath, args));
      expect(inspect(failure, { depth: 9, showHidden: true })).not.toContain(SECRET);
    }
  });

  it("tells a program that is not there", async () => {
    expect(await failureOf(run("no-such-program-here", []))).toMatchObject({ fault: "not-found" });
  });

  it("kills what takes too long or says too much", async () => {
    const slow = createRun({ timeoutMs: 200 });
    expect(await failureOf(slow(...script("setInterval(() => {}, 1000)")))).toMatchObject({
      fault: "timed-out",
    });
    const short = createRun({ maxOutputBytes: 1000 });
    expect(await failureOf(short(...script("console.log('x'.repeat(5000))")))).toMatchObject({
      fault: "failed",
    });
  });

  it("puts a prefix before the program", async () => {
    const calls: unknown[] = [];
    const spy = async (...call: unknown[]) => {
      calls.push(call);
      return "";
    };
    await withPrefix(spy, ["ip", "netns", "exec", "there"])("wg", ["show"], "said");
    await withPrefix(spy, [])("wg", ["show"]);
    expect(calls).toEqual([
      ["ip", ["netns", "exec", "there", "wg", "show"], "said"],
      ["wg", ["show"]],
    ]);
  });
});
