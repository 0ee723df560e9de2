import { expect, it } from "vitest";
import { eventually } from "../eventually.ts";
import type { OwnedNode } from "../lightning/owned-node.ts";
import type { WalletInvoice } from "../wallet.ts";
import { createAskers } from "./askers.ts";
import type { LightningRequests } from "./lightning-requests.ts";
import { createPayers } from "./payers.ts";
import { createPerson } from "./people.ts";
import type { InvoicePlan, PayPlan } from "./plan-invoices.ts";
import { TIERS } from "./tiers.ts";

const DETAILS = { overpaidSat: 0, keptSat: 0, isMissed: false, toldAgainAfterMs: undefined };
const CONF = { status: 200, headers: new Headers(), text: "", body: { config: "Address = 10.66.0.2/32" } };
const NOT_YET = { ...CONF, status: 402, body: { reason: "payment-required" } };

/** A node that takes everything but what is `over`, and a daemon that hears of it at the second claim. */
function world({ over = false } = {}) {
  const paid: { paymentHash: string; amountMsat?: number | undefined; feeMsat?: number | undefined }[] = [];
  const problems: string[] = [];
  const askers = createAskers();
  let claims = 0;
  const node = {
    pay(paymentHash, terms) {
      if (over) throw new Error("the invoice has expired");
      paid.push({ paymentHash, ...terms });
    },
    invoices: () => paid.map(({ paymentHash }) => ({ paymentHash, preimage: "00".repeat(32) })),
    breakStreams() {},
  } as Partial<OwnedNode> as OwnedNode;
  const invoice = {
    paymentHash: "hash",
    decipher: () => undefined,
  } as Partial<WalletInvoice> as WalletInvoice;
  const requests: LightningRequests = {
    invoice: async () => ({ kind: "invoice", invoice }),
    claim: async () => (claims++ === 0 ? NOT_YET : CONF),
    verify: async () => undefined,
  };
  const wrong = (what: string) => void problems.push(what);
  const payers = createPayers({ askers, requests, node, invoiceSeconds: 0.01, note: () => {}, wrong });
  return { payers, askers, paid, problems };
}

function invoicePlan(pays: PayPlan): InvoicePlan {
  return { tier: TIERS[0], amountSat: 16, comment: "key", pays };
}

it("pays as planned and claims until the .conf is there", async () => {
  const { payers, paid, problems } = world();
  const person = createPerson();
  await payers.order(person, invoicePlan({ when: "at-once", ...DETAILS, overpaidSat: 2, keptSat: 3 }));
  expect(paid).toEqual([{ paymentHash: "hash", amountMsat: 18_000, feeMsat: 3_000 }]);
  await eventually(() => person.address === "10.66.0.2");
  expect(payers.bills).toMatchObject([{ isClaimed: true, lastReason: undefined }]);
  expect(problems).toEqual(["a success action does not open with its preimage"]);
});

it("pays while no daemon lives, or at once when none dies any more", async () => {
  const { payers, paid } = world();
  await payers.order(createPerson(), invoicePlan({ when: "daemon-dead", ...DETAILS }));
  expect([paid.length, payers.aboutToPay()]).toEqual([0, 1]);
  payers.daemonDied();
  await eventually(() => payers.aboutToPay() === 0);
  expect(paid).toHaveLength(1);

  const late = world();
  late.payers.noMoreDeaths();
  await late.payers.order(createPerson(), invoicePlan({ when: "daemon-dead", ...DETAILS }));
  await eventually(() => late.paid.length === 1);
});

it("has not paid what the node does not take, and pays an invoice that came twice once", async () => {
  const refused = world({ over: true });
  await refused.payers.order(createPerson(), invoicePlan({ when: "later", lifetimes: 1, ...DETAILS }));
  await eventually(() => refused.payers.aboutToPay() === 0);
  expect(refused.payers.bills).toMatchObject([{ preimage: undefined, isClaimed: false }]);

  const twice = world();
  const person = createPerson();
  await twice.payers.order(person, invoicePlan({ when: "never" }));
  await twice.payers.order(person, invoicePlan({ when: "at-once", ...DETAILS }));
  expect([twice.payers.bills.length, twice.paid.length]).toEqual([1, 0]);
});

it("pays nothing more once all have given up, since nobody would claim it", async () => {
  const { payers, askers, paid } = world();
  await payers.order(createPerson(), invoicePlan({ when: "later", lifetimes: 5, ...DETAILS }));
  await askers.giveUp();
  await eventually(() => payers.aboutToPay() === 0);
  expect(paid).toEqual([]);
});
