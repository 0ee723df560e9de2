import { expect, it } from "vitest";
import type { LightningConfig } from "../config/types.ts";
import type { LightningNode } from "../sales/lightning/ports.ts";
import { eventually } from "../testing/eventually.ts";
import { chooseNode } from "./choose-node.ts";

const now = () => 1_700_000_000;

function config(changes: Partial<LightningConfig>): LightningConfig {
  return {
    backend: "stub",
    baseUrl: "https://127.0.0.1:1",
    apiToken: "0201",
    certificate: undefined,
    successAction: "lud10",
    invoiceSeconds: 600,
    invoiceGraceSeconds: 120,
    stubSells: false,
    ...changes,
  };
}

async function make(node: LightningNode): Promise<string> {
  const { paymentHash } = await node.makeInvoice({
    reference: "ab",
    preimage: "12".repeat(32),
    amountMsat: 21_000,
    descriptionHash: "34".repeat(32),
    expirySeconds: 600,
  });
  return paymentHash;
}

it.each(["phoenixd", "lnd", "stub"] as const)("gives the node that is configured: %s", (backend) => {
  expect(chooseNode(config({ backend }), now).kind).toBe(backend);
});

it("gives a stub that pays itself only where it may sell", async () => {
  const idle = chooseNode(config({}), now);
  const unpaid = await make(idle);
  const selling = chooseNode(config({ stubSells: true }), now);
  const paid = await make(selling);
  await eventually(async () => (await selling.lookUp(paid)).kind === "paid", 20_000);
  expect(await idle.lookUp(unpaid)).toEqual({ kind: "open" });
});
