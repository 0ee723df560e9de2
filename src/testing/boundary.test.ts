import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { BOUNDARIES, REFUND_BOUNDARIES } from "../boundary.ts";
import { KILL_AT } from "./boundary.ts";

const root = join(import.meta.dirname, "../..");

function shippedSources(): string[] {
  return (readdirSync(join(root, "src"), { recursive: true }) as string[])
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts") && !/^(testing|e2e)\//.test(file))
    .map((file) => readFileSync(join(root, "src", file), "utf8"));
}

/** A process that passes boundaries and says after each that it lives. */
function passing(names: readonly string[], killAt: string) {
  const lines = names.map((name) => `boundary(${JSON.stringify(name)}); console.log("alive");`);
  const code = `import { boundary } from "./src/testing/boundary.ts";\n${lines.join("\n")}`;
  return spawnSync(process.execPath, ["--import", "tsx", "--input-type=module", "--eval", code], {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, [KILL_AT]: killAt },
  });
}

describe("boundaries of a sale", () => {
  it("leave no trace in what ships", () => {
    const bundle = readFileSync(join(root, "dist/index.cjs"), "utf8");
    // Not by `toContain`, which would print the bundle.
    expect(
      [...BOUNDARIES, ...REFUND_BOUNDARIES, KILL_AT].filter((name) => bundle.includes(`"${name}"`)),
    ).toEqual([]);
    expect(/\bboundary\(/.test(bundle)).toBe(false);
  });

  it("each stand in the code once", () => {
    const called = shippedSources().flatMap((text) =>
      [...text.matchAll(/\bboundary\("([^"]+)"\)/g)].map((match) => match[1]),
    );
    expect(called.sort()).toEqual([...BOUNDARIES, ...REFUND_BOUNDARIES].sort());
  });

  it("end a process that is to be killed there, at once", () => {
    const { signal, stdout, stderr } = passing(["sale-opened", "sale-paid", "sale-granted"], "sale-paid");
    expect({ signal, stdout, stderr }).toEqual({
      signal: "SIGKILL",
      stdout: "alive\n",
      stderr: "killed at sale-paid\n",
    });
  });

  it("count how often they are passed", () => {
    const { signal, stdout } = passing(["sale-paid", "sale-opened", "sale-paid"], "sale-paid:2");
    expect({ signal, stdout }).toEqual({ signal: "SIGKILL", stdout: "alive\nalive\n" });
  });
});
