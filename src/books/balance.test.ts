import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Place } from "../wallet/comparison.ts";
import { type BookFacts, balanceBooks } from "./balance.ts";
import type { BookedEcashSale, BookedLightningSale, BookedProof } from "./books-store.ts";

type SaleState = BookedEcashSale["state"];
interface EcashBooks extends BookFacts {
  sales: BookedEcashSale[];
  proofs: BookedProof[];
}

const MINTS = ["https://a.example", "https://b.example/"];

interface Drawn {
  state: SaleState;
  mint: number;
  proofs: number[];
  feeSat: number;
  lossSat: number;
}

const drawn: fc.Arbitrary<Drawn> = fc.record({
  state: fc.constantFrom<SaleState>("swapping", "paid", "owed", "granted", "released"),
  mint: fc.nat(MINTS.length - 1),
  proofs: fc.array(fc.integer({ min: 1, max: 4096 }), { minLength: 1, maxLength: 5 }),
  feeSat: fc.nat(5),
  lossSat: fc.oneof(fc.constant(0), fc.nat(50)),
});
const places = fc.array(fc.constantFrom<Place>("outbox", "wallet", "spent"), { minLength: 1 });

/** Books as the daemon writes them. */
function booksOf(all: readonly Drawn[], where: readonly Place[] = ["wallet"]): EcashBooks {
  const proofs: BookedProof[] = [];
  const placeOf = new Map<string, Place>();
  const sales = all.map(({ state, mint, proofs: amounts, feeSat, lossSat }, index): BookedEcashSale => {
    const mintUrl = MINTS[mint] ?? "";
    const isPaid = state !== "swapping" && state !== "released";
    const sat = isPaid ? amounts.reduce((sum, amount) => sum + amount, 0) : 0;
    for (const amountSat of isPaid ? amounts : []) {
      const y = `y${proofs.length}`;
      placeOf.set(y, where[proofs.length % where.length] ?? "wallet");
      proofs.push({ y, mintUrl, amountSat, isSpent: false, inOutbox: false });
    }
    return {
      saleId: `sale-${index}`,
      method: "cashu",
      state,
      mintUrl,
      faceSat: sat + feeSat + lossSat,
      feeSat,
      receivedSat: sat,
      isFlawed: lossSat > 0,
      proofSat: sat,
      inputs: state === "released" ? 0 : 1,
      sessionId: isPaid ? `session-${index}` : null,
      hasSession: isPaid,
      createdAt: 1000,
      paidAt: isPaid ? 1001 : null,
      grantedAt: state === "granted" ? 1002 : null,
    };
  });
  return {
    sales,
    proofs,
    folded: { sales: [], spent: [] },
    refunds: [],
    places: placeOf,
    tunnels: { live: 0, without: [] },
    silent: [],
    now: 1060,
  };
}

const granted: Drawn = { state: "granted", mint: 0, proofs: [64, 32], feeSat: 4, lossSat: 0 };

describe("books as the daemon writes them", () => {
  it("balance, at each mint and in all", () => {
    fc.assert(
      fc.property(fc.array(drawn), places, (all, where) => {
        const { balanced, differences, mints, total } = balanceBooks(booksOf(all, where));
        expect({ balanced, differences }).toEqual({ balanced: true, differences: [] });
        for (const sums of [...mints, total]) {
          expect(sums.paidSat).toBe(sums.proofSat + sums.feeSat + sums.lossSat);
          expect(sums.proofSat).toBe(sums.outboxSat + sums.walletSat + sums.spentSat + sums.unknownSat);
        }
      }),
    );
  });

  it("name the one sale of which a proof is lost, or was added", () => {
    const paid = drawn.filter(({ state }) => state !== "swapping" && state !== "released");
    fc.assert(
      fc.property(fc.array(drawn), paid, fc.array(drawn), fc.boolean(), (before, wrong, after, isLost) => {
        const facts = booksOf([...before, wrong, ...after]);
        const sale = facts.sales[before.length];
        if (!sale) throw new Error("it was just written");
        sale.proofSat += isLost ? -(wrong.proofs[0] ?? 0) : 7;
        const own = facts.proofs.reduce((sum, { amountSat }) => sum + amountSat, 0);
        const sold = facts.sales.reduce((sum, { proofSat }) => sum + proofSat, 0);
        facts.proofs.push({ y: "z", mintUrl: "m", amountSat: sold - own, isSpent: true, inOutbox: false });
        const { balanced, differences } = balanceBooks(facts);
        expect(balanced).toBe(false);
        expect(differences.map(({ saleId }) => saleId)).toEqual([sale.saleId]);
      }),
    );
  });
});

describe("what does not balance", () => {
  const broken = (change: Partial<BookedEcashSale>, state: SaleState = "granted") => {
    const facts = booksOf([{ ...granted, state }]);
    const [sale] = facts.sales;
    if (!sale) throw new Error("no sale");
    return balanceBooks({ ...facts, sales: [{ ...sale, ...change }] });
  };

  it.each<[string, Partial<BookedEcashSale>, SaleState, RegExp]>([
    ["less came in than was paid", { faceSat: 101 }, "granted", /101 sat were paid/],
    ["more came in than was paid, for a flaw", { faceSat: 90, isFlawed: true }, "paid", /10 sat more/],
    ["no claim", { inputs: 0 }, "owed", /claims no proof/],
    ["no time of payment", { paidAt: null }, "paid", /no time of payment/],
    ["no time of the grant", { grantedAt: null }, "granted", /no time of the grant/],
    ["no session", { hasSession: false }, "granted", /no session/],
    ["an open swap that is paid", { paidAt: 5 }, "swapping", /time of payment/],
    ["an open swap without a claim", { inputs: 0 }, "swapping", /claims no proof/],
    ["a released sale that still claims", { inputs: 2 }, "released", /still claims/],
  ])("%s", (_what, change, state, words) => {
    const { balanced, differences } = broken(change, state);
    expect(balanced).toBe(false);
    expect(differences).toEqual([{ saleId: "sale-0", what: expect.stringMatching(words) }]);
  });

  it("proofs that came of a released sale, and proofs of none", () => {
    expect(broken({ proofSat: 96 }, "released").differences[0]?.what).toMatch(
      /is released, and proofs of 96 sat/,
    );
    const facts = booksOf([granted]);
    facts.proofs.push({ y: "stray", mintUrl: "m", amountSat: 5, isSpent: false, inOutbox: true });
    expect(balanceBooks(facts).differences).toEqual([
      { saleId: null, what: "proofs of 5 sat belong to no sale" },
    ]);
  });

  it("a live session without its peer names the sale that was granted last", () => {
    const facts = booksOf([granted, granted, granted]);
    const sales = facts.sales.map((sale, index) => ({ ...sale, sessionId: index < 2 ? "s" : "other" }));
    const report = balanceBooks({ ...facts, sales, tunnels: { live: 2, without: ["s", "of an old row"] } });
    expect(report.tunnels).toEqual({ live: 2, up: 0 });
    expect(report.differences.map(({ saleId }) => saleId)).toEqual(["sale-1", null]);
  });
});

describe("what is unknown", () => {
  it("is no difference, and says who did not answer", () => {
    const facts = booksOf([granted], ["unknown"]);
    const report = balanceBooks({ ...facts, silent: ["https://a.example"] });
    expect(report).toMatchObject({ balanced: "unknown", differences: [] });
    expect(report.unknown).toEqual(["where 96 sat are, since there was no answer from https://a.example"]);
    expect(report.total).toMatchObject({ unknownSat: 96, walletSat: 0 });
  });

  it("is the interface that does not answer", () => {
    const report = balanceBooks({ ...booksOf([granted]), tunnels: { live: 3, without: "unknown" } });
    expect(report).toMatchObject({ balanced: "unknown", tunnels: { live: 3, up: "unknown" } });
  });

  it("does not hide a difference", () => {
    const facts = booksOf([granted, { ...granted, lossSat: 3 }], ["unknown"]);
    const sales = facts.sales.map((sale) => ({ ...sale, isFlawed: false }));
    expect(balanceBooks({ ...facts, sales }).balanced).toBe(false);
  });

  it("is not what came in after the comparison began: the book says where it is", () => {
    const facts = booksOf([granted]);
    const proofs = facts.proofs.map((proof) => ({ ...proof, inOutbox: true }));
    expect(balanceBooks({ ...facts, proofs, places: new Map() }).total.outboxSat).toBe(96);
    expect(balanceBooks({ ...facts, places: undefined }).total.unknownSat).toBe(96);
  });
});

it("lists open sales with state and age; a mint's spellings are one mint", () => {
  const facts = booksOf([{ ...granted, state: "owed" }, granted, { ...granted, state: "swapping" }]);
  const sales = facts.sales.map((sale, index) => ({
    ...sale,
    mintUrl: index === 0 ? "https://A.example/" : sale.mintUrl,
  }));
  const report = balanceBooks({ ...facts, sales });
  expect(report.open.map(({ saleId, state, ageSeconds }) => [saleId, state, ageSeconds])).toEqual([
    ["sale-0", "owed", 60],
    ["sale-2", "swapping", 60],
  ]);
  expect(report.mints).toHaveLength(1);
  expect(report.payments).toEqual({ sales: 2, granted: 1, owed: 1 });
});

describe("Lightning", () => {
  const paid: BookedLightningSale = {
    saleId: "paid-by-invoice",
    method: "lightning",
    state: "granted",
    faceSat: 100,
    requestedMsat: 100_000,
    receivedMsat: 100_000,
    nodeFeeMsat: 0,
    sessionId: "s",
    hasSession: true,
    createdAt: 1000,
    paidAt: 1001,
    grantedAt: 1002,
  };
  const reportOn = (...sales: BookedLightningSale[]) =>
    balanceBooks({ ...booksOf([granted]), sales: [...booksOf([granted]).sales, ...sales] });

  it("is added up beside the mints: what was asked for, came in, was kept by the node", () => {
    const { balanced, lightning, total, payments } = reportOn(
      paid,
      { ...paid, state: "owed", receivedMsat: 96_000, nodeFeeMsat: 4_000 },
      { ...paid, receivedMsat: 150_000 },
      { ...paid, receivedMsat: 90_000 },
      { ...paid, requestedMsat: null, receivedMsat: 7_000 },
    );
    expect(balanced).toBe(true);
    expect(payments).toEqual({ sales: 6, granted: 5, owed: 1 });
    expect(total.paidSat).toBe(100);
    expect(lightning).toEqual({
      payments: 5,
      requestedMsat: 407_000,
      receivedMsat: 443_000,
      feeMsat: 4_000,
      overpaidMsat: 50_000,
      shortMsat: 10_000,
    });
  });

  it.each<[string, Partial<BookedLightningSale>, RegExp]>([
    ["a payment without a sum", { receivedMsat: null }, /does not say how much/],
    ["a sum without a payment", { state: "lapsed", paidAt: null }, /100000 msat came in/],
    ["no time of payment", { paidAt: null }, /no time of payment/],
    ["a tunnel without a session", { hasSession: false }, /no session/],
  ])("does not balance with %s", (_, change, what) => {
    const { balanced, differences } = reportOn({ ...paid, ...change });
    expect(balanced).toBe(false);
    expect(differences).toEqual([{ saleId: paid.saleId, what: expect.stringMatching(what) }]);
  });

  it("that is owed is listed as open", () => {
    expect(reportOn({ ...paid, state: "owed" }).open).toEqual([
      { saleId: paid.saleId, state: "owed", ageSeconds: 60, faceSat: 100, mintUrl: null },
    ]);
  });
});
