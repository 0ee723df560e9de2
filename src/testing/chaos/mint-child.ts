import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { KeysetVersion } from "../mint-keyset.ts";

export type MintOrder = { number: number } & (
  | { kind: "rotate"; feePpk: number }
  | { kind: "pend" | "unpend"; ys: string[] }
);
export type MintReply = { kind: "up"; url: string } | { kind: "done"; number: number };

/** A mint that the chaos can turn, where it is ours; of any other only the URL is known. */
export interface ChaosMint {
  url: string;
  /** Undefined for a mint that is not ours. */
  ours: OurMint | undefined;
  stop(): Promise<void>;
}

export interface OurMint {
  rotate(feePpk: number): Promise<void>;
  pend(ys: string[]): Promise<void>;
  unpend(ys: string[]): Promise<void>;
}

const root = join(import.meta.dirname, "../../..");

export async function startMintProcess(
  feePpk: number,
  keysetVersion: KeysetVersion,
  cacheResponses: boolean,
  arithmetic: "of-cashu-ts" | "fast" = "of-cashu-ts",
): Promise<ChaosMint> {
  const child = fork(
    join(import.meta.dirname, "mint-process.ts"),
    [String(feePpk), keysetVersion, String(cacheResponses), arithmetic],
    { cwd: root, execArgv: ["--import", "tsx"], stdio: ["ignore", "ignore", "inherit", "ipc"] },
  );
  const waiting = new Map<number, () => void>();
  let orders = 0;
  const url = await new Promise<string>((resolve, reject) => {
    child.once("exit", () => reject(new Error("the mint's process did not come up")));
    child.on("message", (reply: MintReply) => {
      if (reply.kind === "up") return resolve(reply.url);
      waiting.get(reply.number)?.();
      waiting.delete(reply.number);
    });
  });

  function order(what: { kind: "rotate"; feePpk: number } | { kind: "pend" | "unpend"; ys: string[] }) {
    const number = ++orders;
    return new Promise<void>((resolve) => {
      waiting.set(number, resolve);
      child.send({ ...what, number } satisfies MintOrder);
    });
  }

  return {
    url,
    ours: {
      rotate: (newFeePpk) => order({ kind: "rotate", feePpk: newFeePpk }),
      pend: (ys) => order({ kind: "pend", ys }),
      unpend: (ys) => order({ kind: "unpend", ys }),
    },
    async stop() {
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    },
  };
}
