import { expect } from "vitest";
import type { CheckResult, DoctorHost } from "./doctor-host.ts";

/** Something wrong on the operator's host, put in alone. `title` is what docs/doctor.md calls it. */
export interface Fault {
  title: string;
  /** The check that names it, and in which words. */
  check: string;
  status: "warn" | "fail";
  seen: RegExp;
  put(): unknown;
  /** What the mend says, where a person has to do it; left out, the mend's own command is run on the host. */
  mend?: (said: string) => unknown;
  mendSays?: RegExp;
  /** What neither the fault nor its mend takes back. */
  after?(): unknown;
}

/** Puts it in, sees it named, follows the mend, and sees it gone. */
export async function proveFault(fault: Fault, at: DoctorHost): Promise<void> {
  try {
    await fault.put();
    const found = findingsOf(fault.check, await at.look()).find(({ status }) => status === fault.status);
    expect(found, `${fault.check} ${fault.status}`).toBeDefined();
    expect(found?.seen).toMatch(fault.seen);
    const said = found?.mend ?? "";
    expect(said).not.toBe("");
    if (fault.mendSays !== undefined) expect(said).toMatch(fault.mendSays);
    if (fault.mend === undefined) await runOn(at, commandOf(said));
    else await fault.mend(said);
    const wrong = findingsOf(fault.check, await at.look()).filter(({ status }) => status !== "ok");
    expect(wrong).toEqual([]);
  } finally {
    await fault.after?.();
  }
}

export function findingsOf(check: string, results: readonly CheckResult[]): CheckResult[] {
  return results.filter(({ name }) => name === check);
}

/** A command stands at a mend's end, after a colon. */
function commandOf(mend: string): string {
  return mend.split(": ").at(-1) ?? "";
}

/** Its output goes to a file: wireguard-go stays in the background and would hold a pipe open. */
function runOn(at: DoctorHost, command: string): Promise<string> {
  const script = "export WG_QUICK_USERSPACE_IMPLEMENTATION=wireguard-go; exec >/dev/null 2>&1; ";
  return at.onHost(script + command);
}
