import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Buyer, createWorld, DAY, dayPrice, type World } from "../testing/sales-world.ts";
import type { OwnedProof } from "./ports.ts";
import type { NewSale } from "./sale-store.ts";

let world: World;
beforeEach(async () => {
  world = await createWorld({ subnet: "10.9.0.0/29" });
});
afterEach(() => world.close());

const NOW = 1_800_000_000;

async function newSale(
  buyer: Buyer = world.buyer(),
  token = world.mint.issue([64, 32, 4]),
): Promise<NewSale> {
  const decoded = world.mint.reader.decode(token);
  return {
    mintKey: decoded.mintKey,
    mintUrl: world.mint.mint.url,
    faceSat: decoded.faceSat,
    price: dayPrice,
    bought: { seconds: DAY, bytes: 0 },
    dTag: "vpn",
    buyerHash: "buyer",
    keyHash: buyer.publicKey,
    clientKey: buyer.publicKey,
    ys: decoded.ys,
    journal: await world.mint.mint.prepareSwap(decoded),
  };
}

async function opened(sale?: NewSale): Promise<{ saleId: string; sale: NewSale }> {
  const written = sale ?? (await newSale());
  const answer = world.run.sales.open(written, NOW);
  if (answer.kind !== "opened") throw new Error(`not opened: ${answer.kind}`);
  return { saleId: answer.saleId, sale: written };
}

async function proofsFor(sale: NewSale): Promise<OwnedProof[]> {
  const answer = await world.mint.link.swap(sale.journal);
  if (answer.kind !== "signed") throw new Error("not signed");
  return answer.proofs;
}

/** Every table that a sale touches. */
function snapshot(): unknown {
  const tables = [
    "sales",
    "sale_inputs",
    "swap_attempts",
    "proofs",
    "sessions",
    "session_terms",
    "pool_addresses",
  ];
  return tables.map((table) => world.all(`SELECT * FROM ${table} ORDER BY 1, 2`));
}

function freeAddresses(): number {
  return world.run.pool.countFree(NOW, 100);
}

describe("the sale store", () => {
  it("opens all or nothing: sale, claim, session with its address, signed swap", async () => {
    const { saleId, sale } = await opened();
    expect(world.run.sales.find(saleId)).toMatchObject({ state: "swapping", faceSat: 100, feeSat: 0 });
    expect(world.all("SELECT y FROM sale_inputs")).toHaveLength(3);
    expect(world.run.sales.journals(saleId)).toEqual([sale.journal]);
    expect(world.run.sessions.findByKey(sale.clientKey, NOW)?.status).toBe("pending");
    expect(freeAddresses()).toBe(4);
  });

  it("leaves no trace of a sale that finds no address", async () => {
    for (let taken = 0; taken < 5; taken++) await opened();
    const late = await newSale();
    const before = snapshot();
    expect(world.run.sales.open(late, NOW)).toEqual({ kind: "no-address" });
    expect(snapshot()).toEqual(before);
  });

  it("leaves no trace when it fails in the middle", async () => {
    const sale = await newSale();
    const before = snapshot();
    const twice = { ...sale, ys: [sale.ys[0] ?? "", sale.ys[0] ?? ""] };
    expect(() => world.run.sales.open(twice, NOW)).toThrow(/UNIQUE/);
    expect(snapshot()).toEqual(before);
  });

  it("takes a claim once, whoever comes second", async () => {
    const { sale, saleId } = await opened();
    const again = await newSale(world.buyer());
    expect(world.run.sales.open({ ...again, ys: [...sale.ys].reverse() }, NOW)).toEqual({ kind: "claimed" });
    expect(world.run.sales.findClaim(sale.mintKey, [...sale.ys].reverse())).toMatchObject({
      kind: "same",
      sale: { saleId },
    });
  });

  it("tells the same claim from an overlap, and from the same proofs of another mint", async () => {
    const { sale } = await opened();
    const other = await newSale();
    const [first = "", second = ""] = sale.ys;
    const { findClaim } = world.run.sales;
    expect(findClaim(sale.mintKey, [first]).kind).toBe("overlap");
    expect(findClaim(sale.mintKey, [...sale.ys, ...other.ys]).kind).toBe("overlap");
    expect(findClaim(sale.mintKey, [first, second, other.ys[0] ?? ""]).kind).toBe("overlap");
    expect(findClaim(sale.mintKey, other.ys).kind).toBe("none");
    expect(findClaim("https://other.test", sale.ys).kind).toBe("none");
    const part = { ...other, ys: [first, ...other.ys] };
    expect(world.run.sales.open(part, NOW)).toEqual({ kind: "claimed" });
  });

  it("tells an overlap of two sales from either of them", async () => {
    const a = await opened();
    const b = await opened();
    const mixed = [...a.sale.ys.slice(0, 2), ...b.sale.ys.slice(0, 1)];
    expect(world.run.sales.findClaim(a.sale.mintKey, mixed).kind).toBe("overlap");
  });

  it("frees the claim, the address and the signed swap when it releases", async () => {
    const { sale, saleId } = await opened();
    expect(world.run.sales.released(saleId, "double-spent", NOW)).toBe("applied");
    expect(world.run.sales.findClaim(sale.mintKey, sale.ys)).toEqual({ kind: "none" });
    expect(freeAddresses()).toBe(5);
    expect(world.all("SELECT * FROM swap_attempts")).toEqual([]);
    expect(world.run.sales.find(saleId)).toMatchObject({ releaseReason: "double-spent", clientKey: null });
    expect((await opened(sale)).saleId).not.toBe(saleId);
  });

  it("leaves a session to the other sales that pin it", async () => {
    const buyer = world.buyer();
    const first = await opened(await newSale(buyer));
    await opened(await newSale(buyer));
    world.run.sales.released(first.saleId, "invalid-token", NOW);
    expect(world.run.sessions.findByKey(buyer.publicKey, NOW)?.status).toBe("pending");
    expect(freeAddresses()).toBe(4);
  });

  it("changes nothing when a verb is said again", async () => {
    const { sale, saleId } = await opened();
    const { sales } = world.run;
    const proofs = await proofsFor(sale);
    const said = (verb: () => unknown) => {
      verb();
      const before = snapshot();
      verb();
      expect(snapshot()).toEqual(before);
    };
    said(() => sales.paid(saleId, proofs, undefined, NOW + 1));
    said(() => sales.owed(saleId));
    said(() => sales.attachSession(saleId, NOW + 2));
    said(() => sales.granted(saleId, NOW + 3));
    const before = snapshot();
    expect(sales.paid(saleId, proofs, undefined, NOW + 9)).toBe("replayed");
    expect(sales.granted(saleId, NOW + 9)).toBe("replayed");
    expect(sales.released(saleId, "double-spent", NOW + 9)).toBe("replayed");
    expect(sales.releaseAddress(saleId, NOW + 9)).toBe("replayed");
    sales.owed(saleId);
    sales.attachSession(saleId, NOW + 9);
    expect(snapshot()).toEqual(before);
    expect(() => sales.newAttempt(saleId, sale.journal, NOW + 9)).toThrow("unresolved");
  });

  it("never turns back: a released sale is not paid, a paid one not released", async () => {
    const released = await opened();
    const proofs = await proofsFor(released.sale);
    world.run.sales.released(released.saleId, "double-spent", NOW);
    expect(world.run.sales.paid(released.saleId, proofs, undefined, NOW)).toBe("replayed");
    expect(world.all("SELECT * FROM proofs")).toEqual([]);
    const paid = await opened();
    world.run.sales.paid(paid.saleId, await proofsFor(paid.sale), undefined, NOW);
    expect(world.run.sales.released(paid.saleId, "double-spent", NOW)).toBe("replayed");
    expect(world.run.sales.findClaim(paid.sale.mintKey, paid.sale.ys).kind).toBe("same");
  });

  it("writes proofs and payment in one transaction, the fee of the attempt that was signed", async () => {
    const { sale, saleId } = await opened();
    world.mint.setFeeSat(3);
    const renewed = await world.mint.mint.renewSwap(sale.journal);
    if (!renewed) throw new Error("not renewed");
    world.run.sales.newAttempt(saleId, renewed, NOW);
    expect(world.run.sales.find(saleId)?.feeSat).toBe(3);
    world.mint.setFeeSat(0);
    world.run.sales.paid(saleId, await proofsFor(sale), undefined, NOW);
    expect(world.run.sales.find(saleId)?.feeSat).toBe(0);
    expect(world.all("SELECT received_sat, flaw FROM sales")).toEqual([{ received_sat: 100, flaw: null }]);
    expect(world.all("SELECT count(*) AS n FROM proofs WHERE event_id IS NULL")).toEqual([{ n: 3 }]);
    expect(world.all("SELECT * FROM swap_attempts")).toEqual([]);
  });

  it("keeps the signed swap of a mint that answered wrongly", async () => {
    const { sale, saleId } = await opened();
    world.run.sales.paid(saleId, (await proofsFor(sale)).slice(1), "one is missing", NOW);
    expect(world.run.sales.journals(saleId)).toEqual([sale.journal]);
    expect(world.all("SELECT received_sat, flaw FROM sales")).toEqual([
      { received_sat: 96, flaw: "one is missing" },
    ]);
  });

  it("forgets the buyer's key once the session has it", async () => {
    const { sale, saleId } = await opened();
    world.run.sales.paid(saleId, await proofsFor(sale), undefined, NOW);
    expect(world.run.sales.find(saleId)?.clientKey).toBe(sale.clientKey);
    world.run.sales.granted(saleId, NOW);
    expect(world.run.sales.find(saleId)?.clientKey).toBeNull();
  });

  it("lists open sales: the paid in the order of payment, then the unresolved in the order of purchase", async () => {
    const [a, b, c, d, e] = [await opened(), await opened(), await opened(), await opened(), await opened()];
    const { sales } = world.run;
    sales.paid(c.saleId, await proofsFor(c.sale), undefined, NOW + 1);
    sales.owed(c.saleId);
    sales.paid(b.saleId, await proofsFor(b.sale), undefined, NOW + 1);
    sales.paid(d.saleId, await proofsFor(d.sale), undefined, NOW);
    sales.released(e.saleId, "invalid-token", NOW);
    const order = sales.openSales().map((sale) => sale.saleId);
    expect(order).toEqual([d, b, c, a].map(({ saleId }) => saleId));
  });

  it("gives an address back and keeps the claim", async () => {
    const { sale, saleId } = await opened();
    expect(world.run.sales.releaseAddress(saleId, NOW)).toBe("applied");
    expect(freeAddresses()).toBe(5);
    expect(world.run.sales.find(saleId)).toMatchObject({ state: "swapping", sessionId: null });
    expect(world.run.sales.findClaim(sale.mintKey, sale.ys).kind).toBe("same");
    expect(world.run.sales.releaseAddress(saleId, NOW)).toBe("replayed");
  });

  it("gives addresses to those who wait in the order of payment", async () => {
    const waiting = [await opened(), await opened()];
    for (const { saleId, sale } of waiting) {
      world.run.sales.releaseAddress(saleId, NOW);
      world.run.sales.paid(saleId, await proofsFor(sale), undefined, NOW);
    }
    const strangers = await Promise.all(Array.from({ length: 5 }, () => opened()));
    const [first, second] = waiting.map(({ saleId }) => saleId);
    for (const saleId of [first, second]) {
      expect(world.run.sales.attachSession(saleId ?? "", NOW)).toBe(false);
      world.run.sales.owed(saleId ?? "");
    }
    expect(world.run.sales.owedWithoutSession()).toBe(2);
    world.run.sales.released(strangers[0]?.saleId ?? "", "invalid-token", NOW);
    expect(world.run.sales.attachSession(second ?? "", NOW)).toBe(false);
    expect(world.run.sales.attachSession(first ?? "", NOW)).toBe(true);
    expect(world.run.sales.attachSession(second ?? "", NOW)).toBe(false);
  });

  it("takes in what a mint that answered wrongly has signed after all, once", async () => {
    const { sale, saleId } = await opened();
    const proofs = await proofsFor(sale);
    world.run.sales.paid(saleId, proofs.slice(1), "one is missing", NOW);
    expect(world.run.sales.answeredWrongly()).toEqual([saleId]);
    expect(world.run.sales.madeGood(saleId, [], false, NOW)).toBe(0);
    expect(world.run.sales.answeredWrongly()).toEqual([saleId]);
    expect(world.run.sales.madeGood(saleId, proofs, true, NOW)).toBe(4);
    expect(world.run.sales.answeredWrongly()).toEqual([]);
    expect(world.run.sales.madeGood(saleId, proofs, true, NOW)).toBe(0);
    expect(world.all("SELECT received_sat FROM sales")).toEqual([{ received_sat: 100 }]);
  });
});
