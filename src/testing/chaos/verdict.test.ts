import { describe, expect, it } from "vitest";
import { createBuyer } from "../buyer.ts";
import type { Crowd, Person } from "./crowd.ts";
import type { Evidence } from "./evidence.ts";
import type { CoinState } from "./mint-record.ts";
import type { Payment } from "./payments.ts";
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
  return { nostrKey: buyer.nostrKey, buyer, granted, address, asking: 0, moves: 0 };
}

/** One buyer has an hour, another was refused and has his token; all is as it must be. */
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
  const crowd = { people: [served, sentAway], pursuits, problems: [] } as unknown as Crowd;
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
  const states = new Map<string, CoinState>([
    ["sold", "SPENT"],
    ["refused", "UNSPENT"],
    ["earned", "UNSPENT"],
  ]);
  return {
    crowd,
    book: { sales: [sale], sessions: [session], proofs: [{ secret: "earned", amountSat: 15 }] },
    states,
    fees: new Map([["k", 100]]),
    wallet: [{ secret: "earned", amountSat: 15, y: "earned" }],
    walletWorthSat: 15,
    peers: 1,
    sold,
    refused,
    served,
    session,
    sale,
  } satisfies Evidence & Record<string, unknown>;
}

describe("the verdict on a chaos", () => {
  it("is clean when everything is where it must be", () => {
    expect(judge(evidence())).toEqual({
      sales: 2,
      satIn: 16,
      granted: 1,
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
    ["a peer that is missing", (w) => Object.assign(w, { peers: 0 }), {}],
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
        const second = person("10.66.0.3", [w.sold]);
        w.crowd.people.push(second);
        const [first] = w.crowd.pursuits;
        if (first) w.crowd.pursuits.push({ ...first, person: second });
      },
      { doubleGranted: 1 },
    ],
  ];

  it.each(cases)("finds %s", (_name, spoil, expected) => {
    const world = evidence();
    spoil(world);
    const verdict = judge(world);
    expect(verdict).toMatchObject(expected);
    expect(verdict.problems.length).toBeGreaterThan(0);
  });
});
