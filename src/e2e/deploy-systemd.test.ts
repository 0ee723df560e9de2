import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeTempDir, type TempDir } from "../testing/temp-dir.ts";
import { toolsMissing } from "../testing/tools.ts";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "../..");
const UNIT = join(ROOT, "scripts/europa-node.service");
// wg-quick comes with the unit that ours requires.
const missing = toolsMissing(["systemd-analyze", "wg-quick"], Boolean(process.env.CI));

describe.skipIf(missing)(`europa-node.service${missing ? ` (skipped: ${missing})` : ""}`, () => {
  let folder: TempDir;
  let unit: string;

  beforeAll(async () => {
    folder = await makeTempDir();
    unit = join(folder.path, "europa-node.service");
    // Where the daemon and Node are on this machine.
    const here = readFileSync(UNIT, "utf8")
      .replace("ExecStart=/usr/bin/node ", `ExecStart=${process.execPath} `)
      .replace("WorkingDirectory=/opt/europa-node", `WorkingDirectory=${ROOT}`);
    writeFileSync(unit, here);
  });

  afterAll(() => folder.remove());

  it("is verified by systemd, and a wrong line would be noticed", async () => {
    expect(await run("systemd-analyze", ["verify", unit])).toEqual({ stdout: "", stderr: "" });
    const wrong = join(folder.path, "wrong.service");
    writeFileSync(wrong, readFileSync(unit, "utf8").replace("ProtectSystem=strict", "ProtectSystem=very"));
    const { stderr } = await run("systemd-analyze", ["verify", wrong]).catch(
      (error: { stderr: string }) => error,
    );
    expect(stderr).toContain("wrong.service:");
  });

  it("has CAP_NET_ADMIN alone, and an exposure of at most 2.0 of 10", async () => {
    const { stdout } = await run("systemd-analyze", ["security", "--offline=true", "--no-pager", unit]);
    const [, exposure] = /Overall exposure level for \S+: (\d+\.\d+)/.exec(stdout) ?? [];
    expect(Number(exposure)).toBeLessThanOrEqual(2);
    const granted = [...stdout.matchAll(/^✗ CapabilityBoundingSet=(\S+)/gm)].map(([, names]) => names);
    expect(granted).toEqual(["~CAP_NET_ADMIN"]);
    expect(stdout).toMatch(/^✓ User=/m);
  });

  it("needs wg0, and may take longer to end than the daemon does", () => {
    const text = readFileSync(UNIT, "utf8");
    expect(text).toMatch(/^Requires=wg-quick@wg0\.service$/m);
    expect(text).toMatch(/^After=.*\bwg-quick@wg0\.service\b/m);
    expect(text).toMatch(/^AmbientCapabilities=CAP_NET_ADMIN$/m);
    expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(text)?.[1])).toBeGreaterThan(25);
  });
});
