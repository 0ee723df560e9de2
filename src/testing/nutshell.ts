import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "./free-port.ts";
import { makeTempDir } from "./temp-dir.ts";

export interface NutshellOptions {
  /** A Python venv with `bin/mint` (PyPI `cashu`). */
  venv: string;
  /** Input fee in thousandths of a sat per proof. Default 0. */
  feePpk?: number;
  host?: string;
}

export interface Nutshell {
  readonly url: string;
  /** Ends the mint and all that it started, and removes its folder. */
  stop(): Promise<void>;
}

const START_DEADLINE_MS = 60_000;

/** The reference mint as a process of its own, its Lightning side faked: a quote is paid after about a second. */
export async function startNutshell({
  venv,
  feePpk = 0,
  host = "127.0.0.1",
}: NutshellOptions): Promise<Nutshell> {
  const port = await freePort();
  const folder = await makeTempDir();
  const url = `http://${host}:${port}`;
  const child = spawn(join(venv, "bin", "mint"), [], {
    cwd: folder.path,
    // A process group of its own, so that `stop` reaches its children.
    detached: true,
    stdio: "ignore",
    env: {
      PATH: `${join(venv, "bin")}:/usr/local/bin:/usr/bin:/bin`,
      HOME: folder.path,
      CASHU_DIR: folder.path,
      MINT_DATABASE: join(folder.path, "mint"),
      MINT_BACKEND_BOLT11_SAT: "FakeWallet",
      MINT_PRIVATE_KEY: randomBytes(32).toString("hex"),
      MINT_LISTEN_HOST: host,
      MINT_LISTEN_PORT: String(port),
      MINT_RATE_LIMIT: "FALSE",
      MINT_INPUT_FEE_PPK: String(feePpk),
      FAKEWALLET_BRR: "TRUE",
      FAKEWALLET_DELAY_OUTGOING_PAYMENT: "0",
      FAKEWALLET_DELAY_INCOMING_PAYMENT: "0",
      TOR: "FALSE",
    },
  });
  const exited = once(child, "exit").catch(() => {});
  const killGroup = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {
      // The group has ended by itself.
    }
  };
  // A test run that is ended half-way leaves no mint behind.
  process.once("exit", killGroup);

  const stop = async () => {
    killGroup();
    process.removeListener("exit", killGroup);
    await exited;
    await folder.remove();
  };

  const giveUp = AbortSignal.any([AbortSignal.timeout(START_DEADLINE_MS), aborted(exited)]);
  if (!(await answers(`${url}/v1/info`, giveUp))) {
    await stop();
    throw new Error("the Nutshell mint did not come up");
  }
  return { url, stop };
}

/** Why tests against Nutshell cannot run here, or undefined when they can. In CI that is an error. */
export function nutshellMissing(venv: string | undefined, inCi: boolean): string | undefined {
  if (venv && existsSync(join(venv, "bin", "mint"))) return undefined;
  const reason = venv ? "EUROPA_TEST_NUTSHELL has no bin/mint" : "EUROPA_TEST_NUTSHELL is not set";
  if (inCi) throw new Error(`${reason}: CI runs the Nutshell tests, it does not skip them`);
  return reason;
}

/** Asks until it is answered (true) or given up (false). */
async function answers(url: string, giveUp: AbortSignal): Promise<boolean> {
  while (!giveUp.aborted) {
    const signal = AbortSignal.any([giveUp, AbortSignal.timeout(2000)]);
    const response = await fetch(url, { signal }).catch(() => undefined);
    if (response?.ok) return true;
    await sleep(100);
  }
  return false;
}

function aborted(when: Promise<unknown>): AbortSignal {
  const controller = new AbortController();
  when.then(() => controller.abort());
  return controller.signal;
}
