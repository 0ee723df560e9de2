import { fastMintArithmetic } from "../bench/fast-mint-arithmetic.ts";
import { startMint } from "../mint.ts";
import type { KeysetVersion } from "../mint-keyset.ts";
import type { MintOrder, MintReply } from "./mint-child.ts";

/** Our mint in a process of its own: its curve work holds up nobody's timing. Ends with its parent. */
async function main(): Promise<void> {
  const [feePpk = "0", keysetVersion = "v2", cacheResponses = "false", arithmetic = ""] =
    process.argv.slice(2);
  const mint = await startMint({
    feePpk: Number(feePpk),
    keysetVersion: keysetVersion as KeysetVersion,
    cacheResponses: cacheResponses === "true",
    ...(arithmetic === "fast" ? { arithmetic: fastMintArithmetic } : {}),
  });
  const tell = (reply: MintReply) => void process.send?.(reply);
  process.on("disconnect", () => process.exit(0));
  process.on("message", (order: MintOrder) => {
    if (order.kind === "rotate") mint.rotateKeyset({ feePpk: order.feePpk });
    else if (order.kind === "pend") for (const y of order.ys) mint.pendingYs.add(y);
    else for (const y of order.ys) mint.pendingYs.delete(y);
    tell({ kind: "done", number: order.number });
  });
  tell({ kind: "up", url: mint.url });
}

void main();
