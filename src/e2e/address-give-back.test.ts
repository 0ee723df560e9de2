import Database from "better-sqlite3";
import { afterEach, describe, expect, it } from "vitest";
import { type Answer, type Buyer, createBuyer } from "../testing/buyer.ts";
import { mintToken } from "../testing/ecash.ts";
import { eventually } from "../testing/eventually.ts";
import { startMint, type TestMint } from "../testing/mint.ts";
import { createOperator } from "../testing/operator.ts";
import { startRelay } from "../testing/relay.ts";
import { soldTunnel } from "../testing/tunnel-market.ts";
import { expectRefused } from "./expectations.ts";

const DAY_SECONDS = 86_400;
const OPEN_HOLD_SECONDS = 2;
/** Longer than any pause between two rounds with the mint in these tests. */
const BY_ITSELF_MS = 20_000;

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface BookedSale {
  state: string;
  address: string | null;
  granted_at: number | null;
  address_released_at: number | null;
}

/** One mint that goes away in mid-swap, another that stays. */
async function openMarket(subnet: string) {
  const relay = await startRelay();
  closing.push(() => relay.stop());
  const [leaving, staying] = [await startMint({ feePpk: 100 }), await startMint({ feePpk: 100 })];
  closing.push(
    () => leaving.stop(),
    () => staying.stop(),
  );
  const operator = await createOperator({
    relays: [relay.url],
    mints: [leaving.url, staying.url],
    subnet,
    settleSeconds: 1,
    openHoldSeconds: OPEN_HOLD_SECONDS,
    addressHoldSeconds: 1,
  });
  closing.push(() => operator.destroy());
  await operator.start();

  function inBook<T>(use: (book: Database.Database) => T): T {
    const book = new Database(operator.databasePath, { timeout: 5_000 });
    try {
      return use(book);
    } finally {
      book.close();
    }
  }

  async function prepare(mint: TestMint, buyer: Buyer): Promise<() => Promise<Answer>> {
    const lock = { pubkey: operator.p2pk };
    const { token } = await mintToken({ mintUrl: mint.url, amountSat: 100, lock });
    const price = { amount: 100, currency: "sat", unit: "day" } as const;
    const { url, publicHost, dTag, pubkey: operatorPubkey } = operator;
    return () => buyer.purchase({ url, publicHost, operatorPubkey, dTag, price, token });
  }

  return {
    operator,
    leaving,
    prepare,
    /** At the mint that stays. */
    async buy() {
      const buyer = createBuyer();
      return soldTunnel(buyer, await (await prepare(staying, buyer))());
    },
    /** From the mint that leaves, as the book has it. */
    sale: () =>
      inBook(
        (book) =>
          book
            .prepare(
              `SELECT state, assigned_ip AS address, granted_at, address_released_at
                 FROM sales LEFT JOIN sessions USING (session_id) WHERE mint_url = ?`,
            )
            .get(leaving.url) as BookedSale,
      ),
    endNow: ({ wireguard: { publicKey } }: Buyer) =>
      inBook((book) =>
        book.transaction(() => {
          const ofKey = "session_id IN (SELECT session_id FROM sessions WHERE client_identity = ?)";
          const now = Math.floor(Date.now() / 1000);
          book.prepare(`UPDATE session_terms SET time_until = ? WHERE ${ofKey}`).run(now, publicKey);
          book.prepare(`UPDATE sessions SET expires_at = ? WHERE ${ofKey}`).run(now, publicKey);
        })(),
      ),
    expectBalanced: () =>
      inBook((book) => {
        const one = (sql: string) => book.prepare(sql).pluck().get();
        expect(one("SELECT count(*) FROM sales WHERE state <> 'granted'")).toBe(0);
        expect(one("SELECT sum(face_sat - fee_sat) FROM sales")).toBe(
          one("SELECT sum(amount_sat) FROM proofs"),
        );
      }),
  };
}

/** It carries out the next swap, says nothing, and is not to be reached after that. */
function leaveAmidSwap(mint: TestMint): { comeBack(): void } {
  let gone = false;
  mint.fault = ({ path }) => {
    if (gone) return { kind: "drop-before" };
    if (path !== "/v1/swap") return undefined;
    gone = true;
    return { kind: "drop-after" };
  };
  return {
    comeBack: () => {
      mint.fault = undefined;
    },
  };
}

describe("a mint that is gone in mid-swap for longer than an address is held", () => {
  it("the only address is given back and sold; the sale is owed, first in line, and ends granted by itself", async () => {
    const market = await openMarket("10.66.42.0/30");
    const { leaving, prepare, sale } = market;
    const buyer = createBuyer();
    const send = await prepare(leaving, buyer);
    const { comeBack } = leaveAmidSwap(leaving);
    const first = send();
    await eventually(() => leaving.swapCount() === 1);
    expect(sale()).toMatchObject({ state: "swapping", address: "10.66.42.2" });

    await eventually(() => sale().address_released_at !== null, BY_ITSELF_MS);
    expect(sale()).toMatchObject({ state: "swapping", address: null });
    const other = await market.buy();
    expect(other.address).toBe("10.66.42.2");

    comeBack();
    await eventually(() => sale().state === "owed", BY_ITSELF_MS);
    const waiting = await send();
    expectRefused(waiting, { status: 503, reason: "tunnel-unavailable" });
    expect(waiting.body.message).toMatch(/the payment is in.*repeat this very request/);
    const stranger = createBuyer();
    const sendStranger = await prepare(leaving, stranger);
    expectRefused(await sendStranger(), { status: 503, reason: "no-ip-available" });

    market.endNow(other.buyer);
    // The stranger asks all the while, and yet the address goes to the one who paid.
    await eventually(async () => {
      expectRefused(await sendStranger(), { status: 503, reason: "no-ip-available" });
      return sale().state === "granted";
    }, BY_ITSELF_MS);
    const { address, granted_at } = sale();
    const sold = soldTunnel(buyer, await send());
    expect([sold.address, sold.expiresAt]).toEqual([address, (granted_at ?? 0) + DAY_SECONDS]);
    expectRefused(await first, { status: 503, reason: "tunnel-unavailable" });
    expect(leaving.swapCount()).toBe(1);
    market.expectBalanced();
  }, 60_000);

  it("its address is given back and sold; the sale ends granted by itself with any free one", async () => {
    const market = await openMarket("10.66.42.0/29");
    const { leaving, prepare, sale } = market;
    const others = [];
    for (let n = 0; n < 4; n++) others.push(await market.buy());
    const buyer = createBuyer();
    const send = await prepare(leaving, buyer);
    const { comeBack } = leaveAmidSwap(leaving);
    const first = send();
    await eventually(() => leaving.swapCount() === 1);
    const former = sale().address;
    await eventually(() => sale().address_released_at !== null, BY_ITSELF_MS);
    expect((await market.buy()).address).toBe(former);
    const ended = others[2] as (typeof others)[number];
    market.endNow(ended.buyer);
    comeBack();
    await eventually(() => sale().state === "granted", BY_ITSELF_MS);
    expect(sale().address).toBe(ended.address);
    const sold = soldTunnel(buyer, await send());
    expect([sold.address, sold.expiresAt]).toEqual([ended.address, (sale().granted_at ?? 0) + DAY_SECONDS]);
    await first;
    expect(leaving.swapCount()).toBe(1);
    market.expectBalanced();
  }, 60_000);
});
