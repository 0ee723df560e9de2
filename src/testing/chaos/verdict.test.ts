import { describe, expect, it } from "vitest";
import { createBuyer } from "../buyer.ts";
import type { InvoiceAsRead } from "./book-reader.ts";
import type { Crowd } from "./crowd.ts";
import type { Evidence } from "./evidence.ts";
import type { CoinState } from "./mint-record.ts";
import type { Payment } from "./payments.ts";
import type { Bill, Person } from "./people.ts";
import type { Outcome } from "./purchases.ts";
import { judge } from "./verdict.ts";

const START = 1_800_000_000;
const HOUR = { amount: 16, unit: "hour" } as const;

function payment(y: string): Payment {
  return {
    plan: { tier: HOUR, faceSat: 16, encoding: "cashuB" },
    token: y,
    coins: [{ y, keysetId: "k", amountSat: 16 }],
    spentElsewhere: false,
    takeBack: async () => {},
  };
}

function person(address: string | undefined, granted: Payment[]): Person {
  const buyer = createBuyer();
  return { nostrKey: buyer.nostrKey, buyer, granted, bills: [], address, asking: 0, moves: 0 };
}

function bill(payer: Person, paymentHash: string, isPaid: boolean): Bill {
  return {
    person: payer,
    plan: { tier: HOUR, amountSat: 16, comment: "key", pays: { when: "never" } },
    invoice: { paymentHash } as Bill["invoice"],
    preimage: isPaid ? "preimage" : undefined,
    isClaimed: isPaid,
    lastReason: undefined,
  };
}

/**
 * One buyer has an hour, another was refused and has his token; a third has paid for two hours over Lightning, of
 * which the node kept a part, and has not paid another invoice. All is as it must be.
 */
function evidence() {
  const sold = payment("sold");
  const refused = payment("refused");
  const served = person("10.66.0.2", [sold]);
  const sentAway = person(undefined, []);
  const pursuit = (who: Person, what: Payment, outcome: Outcome | undefined) => ({
    person: who,
    payment: what,
    isMove: false,
    outcome,
    lastReason: undefined,
  });
  const pursuits = [
    pursuit(served, sold, { kind: "granted", address: "10.66.0.2" }),
    pursuit(sentAway, refused, { kind: "refused", reason: "no-ip-available" }),
  ];
  const payer = person("10.66.0.3", []);
  const paidBill = bill(payer, "paid", true);
  payer.bills = [paidBill, bill(payer, "unpaid", false)];
  const payers = { bills: payer.bills };
  const crowd = { people: [served, sentAway, payer], pursuits, payers, problems: [] } as unknown as Crowd;
  const sale = {
    state: "granted",
    faceSat: 16,
    feeSat: 1,
    sessionId: "s",
    grantedAt: START,
    boughtSeconds: 3600,
    ys: ["sold"],
  };
  const session = {
    sessionId: "s",
    publicKey: served.buyer.wireguard.publicKey,
    address: "10.66.0.2",
    status: "active",
    timeUntil: START + 3600,
    quotaBytes: null,
  };
  const paidSale = { ...sale, feeSat: 0, sessionId: "p", boughtSeconds: 7200, ys: [] };
  const paidSession = {
    ...session,
    sessionId: "p",
    publicKey: payer.buyer.wireguard.publicKey,
    address: "10.66.0.3",
    timeUntil: START + 7200,
  };
  const booked = { boughtSeconds: 3600, boughtBytes: 0, receivedMsat: null, feeMsat: null };
  const paidInvoice = {
    ...booked,
    paymentHash: "paid",
    state: "granted",
    boughtSeconds: 7200,
    receivedMsat: 31_000,
    feeMsat: 1_000,
  };
  const unpaidInvoice = { ...booked, paymentHash: "unpaid", state: "lapsed" };
  const atNode = { preimage: "preimage", isPaid: false, paidMsat: 0, feeMsat: 0 };
  const paidAtNode = { ...atNode, paymentHash: "paid", isPaid: true, paidMsat: 32_000, feeMsat: 1_000 };
  const states = new Map<string, CoinState>([
    ["sold", "SPENT"],
    ["refused", "UNSPENT"],
    ["earned", "UNSPENT"],
  ]);
  return {
    crowd,
    book: {
      sales: [sale, paidSale],
      invoices: [paidInvoice, unpaidInvoice] as InvoiceAsRead[],
      sessions: [session, paidSession],
      proofs: [{ secret: "earned", amountSat: 15 }],
    },
    invoices: [paidAtNode, { ...atNode, paymentHash: "unpaid" }],
    states,
    fees: new Map([["k", 100]]),
    wallet: [{ secret: "earned", amountSat: 15, y: "earned" }],
    walletWorthSat: 15,
    peers: 2,
    sold,
    refused,
    served,
    session,
    sale,
    paidBill,
    paidSale,
    paidSession,
    paidInvoice,
    unpaidInvoice,
    paidAtNode,
  } satisfies Evidence & Record<string, unknown>;
}

describe("the verdict on a chaos", () => {
  it("is clean when everything is where it must be", () => {
    expect(judge(evidence())).toEqual({
      sales: 3,
      satIn: 48,
      granted: 2,
      lightning: { invoices: 2, sales: 1, satIn: 32, granted: 1 },
      refusedUnspent: 1,
      takenBack: 0,
      owed: 0,
      lost: 0,
      doubleGranted: 0,
      problems: [],
    });
  });

  type World = ReturnType<typeof evidence>;
  const cases: [string, (world: World) => unknown, Partial<ReturnType<typeof judge>>][] = [
    [
      "a refused token that is spent",
      (w) => w.states.set("refused", "SPENT"),
      { lost: 16, refusedUnspent: 0 },
    ],
    ["a tunnel for an unspent token", (w) => w.states.set("sold", "UNSPENT"), { lost: 16 }],
    [
      "a buyer who has tunnel and money",
      (w) => Object.assign(w.sold, { spentElsewhere: true }),
      { lost: 16 },
    ],
    ["a proof that is on no relay", (w) => Object.assign(w, { wallet: [], walletWorthSat: 0 }), { lost: 15 }],
    ["a proof of ours that is spent", (w) => w.states.set("earned", "SPENT"), { lost: 30 }],
    ["a proof that the mint does not take", (w) => Object.assign(w, { walletWorthSat: 0 }), { lost: 15 }],
    ["a proof that the book does not have", (w) => w.book.proofs.pop(), { lost: 0 }],
    ["a fee that the book does not have", (w) => Object.assign(w.sale, { feeSat: 0 }), { lost: 0 }],
    [
      "an hour too many",
      (w) => Object.assign(w.session, { timeUntil: w.session.timeUntil + 3600 }),
      { doubleGranted: 1 },
    ],
    [
      "an hour too few",
      (w) => Object.assign(w.session, { timeUntil: w.session.timeUntil - 3600 }),
      { doubleGranted: 0 },
    ],
    ["two granted sales of one token", (w) => w.book.sales.push({ ...w.sale }), {}],
    ["a session with another address", (w) => Object.assign(w.session, { address: "10.66.0.3" }), {}],
    ["a session that has ended", (w) => Object.assign(w.session, { status: "expired" }), {}],
    ["a peer that is missing", (w) => Object.assign(w, { peers: 1 }), {}],
    ["a sale that is still open", (w) => Object.assign(w.sale, { state: "swapping" }), { owed: 1 }],
    [
      "a buyer without an answer",
      (w) => Object.assign(w.crowd.pursuits[1] ?? {}, { outcome: undefined }),
      {},
    ],
    [
      "a refusal that is not deserved",
      (w) => Object.assign(w.crowd.pursuits[1] ?? {}, { outcome: { kind: "refused", reason: "policy" } }),
      {},
    ],
    [
      "one token granted to two",
      (w) => {
        const second = person("10.66.0.4", [w.sold]);
        w.crowd.people.push(second);
        const [first] = w.crowd.pursuits;
        if (first) w.crowd.pursuits.push({ ...first, person: second });
      },
      { doubleGranted: 1 },
    ],
  ];

  const says = (what: RegExp) => ({ problems: expect.arrayContaining([expect.stringMatching(what)]) });
  const lightningCases: typeof cases = [
    [
      "a payer whose invoice lapsed",
      (w) => {
        Object.assign(w.paidInvoice, { state: "lapsed", receivedMsat: null, feeMsat: null });
        w.book.sales.pop();
        w.book.sessions.pop();
      },
      { lost: 32, granted: 1 },
    ],
    ["a payer whose sale is in no book", (w) => w.book.invoices.shift(), { lost: 32 }],
    [
      "a payer who waits for his tunnel",
      (w) => {
        Object.assign(w.paidInvoice, { state: "owed" });
        Object.assign(w.paidSale, { state: "owed" });
      },
      { owed: 1, lost: 0, granted: 1 },
    ],
    [
      "a payer who never had his .conf",
      (w) => Object.assign(w.paidBill, { isClaimed: false }),
      says(/payer never had his/),
    ],
    [
      "an hour too many over Lightning",
      (w) => Object.assign(w.paidSession, { timeUntil: w.paidSession.timeUntil + 3600 }),
      { doubleGranted: 1 },
    ],
    [
      "what the node kept missing from the time",
      (w) => {
        Object.assign(w.paidInvoice, { boughtSeconds: 6975 });
        Object.assign(w.paidSession, { timeUntil: START + 6975 });
      },
      { doubleGranted: 0 },
    ],
    [
      "a sale over other time than was paid for",
      (w) => Object.assign(w.paidInvoice, { boughtSeconds: 1 }),
      says(/paid for 7200 s .* granted 1 s/),
    ],
    [
      "a tunnel for an invoice that is not paid",
      (w) => Object.assign(w.unpaidInvoice, { state: "granted" }),
      says(/not paid has a sale that is granted/),
    ],
    [
      "a payment that the node does not have",
      (w) => Object.assign(w.paidAtNode, { isPaid: false }),
      says(/not paid has a sale that is granted/),
    ],
    [
      "an amount that is not the node's",
      (w) => Object.assign(w.paidInvoice, { receivedMsat: 30_000 }),
      says(/received 31000 msat, the book says 30000/),
    ],
    [
      "a fee that is not the node's",
      (w) => Object.assign(w.paidInvoice, { feeMsat: 0 }),
      says(/received 31000 msat/),
    ],
    [
      "an invoice that was paid and never given out",
      (w) => w.invoices.push({ ...w.paidAtNode, paymentHash: "stray" }),
      says(/paid that nobody was given/),
    ],
    [
      "a sum that is not the node's",
      (w) => Object.assign(w.unpaidInvoice, { receivedMsat: 1_000 }),
      says(/32000 msat were paid over Lightning, the book has 33000/),
    ],
    [
      "a granted sale of which the node knows nothing",
      (w) => w.book.invoices.push({ ...w.paidInvoice, paymentHash: "other" }),
      says(/1 invoices were paid, and 2 were granted/),
    ],
    [
      "an invoice that never comes to its end",
      (w) => Object.assign(w.unpaidInvoice, { state: "invoiced" }),
      {},
    ],
    [
      "an address that nobody has paid for",
      (w) => w.book.sessions.push({ ...w.session, sessionId: "h", publicKey: "other", status: "pending" }),
      {},
    ],
    [
      "a payer's tunnel with another address",
      (w) => Object.assign(w.paidSession, { address: "10.66.0.9" }),
      {},
    ],
    ["a payer without a session", (w) => w.book.sessions.pop(), {}],
  ];

  it.each([...cases, ...lightningCases])("finds %s", (_name, spoil, expected) => {
    const world = evidence();
    spoil(world);
    const verdict = judge(world);
    expect(verdict).toMatchObject(expected);
    expect(verdict.problems.length).toBeGreaterThan(0);
  });
});
