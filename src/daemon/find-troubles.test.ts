import { expect, it } from "vitest";
import type { AcceptedMint, MintStatus } from "../cashu/mint.ts";
import type { Sale } from "../sales/sale.ts";
import { findTroubles, type TroubleSources } from "./find-troubles.ts";

const NOW = 1_800_000_000;
const URL = "https://mint.example";

function mints(status: Partial<MintStatus>): TroubleSources["mints"] {
  const whole = { reachable: true, answeredAt: NOW, trouble: undefined, isShutOff: false, ...status };
  return { all: () => [{ key: URL, url: URL, status: () => whole } as AcceptedMint] };
}

const sale = (state: Sale["state"], ageSeconds: number) => ({ state, createdAt: NOW - ageSeconds }) as Sale;

const well: TroubleSources = {
  database: { trouble: () => undefined },
  guard: { doubt: () => undefined },
  keeper: { interfaceTrouble: () => undefined },
  mints: mints({}),
  settlement: { hasRoomAt: () => true },
  sales: { openSales: () => [sale("swapping", 599), sale("paid", 10_000)] },
  relays: { status: () => [{ url: "wss://a.example", connected: true }] },
  wallet: { waitingSince: () => NOW - 599 },
  node: { trouble: () => undefined },
  booksBalanced: () => true,
  handshakes: { isClosed: () => false },
  endpoint: "vpn.example.com:51820",
  now: () => NOW,
};

it("finds nothing when all is well, or switched off", () => {
  expect(findTroubles(well)).toEqual({ troubles: [], unknown: [] });
  const off = { ...well, wallet: undefined, node: undefined };
  expect(findTroubles(off)).toEqual({ troubles: [], unknown: [] });
});

it.each<[string, string, Partial<TroubleSources>, RegExp]>([
  ["database", "database-trouble", { database: { trouble: () => "it is full" } }, /it is full/],
  ["clock", "trouble", { guard: { doubt: () => "it is 1970" } }, /1970/],
  [
    "interface",
    "wireguard-trouble",
    { keeper: { interfaceTrouble: () => ({ code: "no-interface", message: "no wg0" }) } },
    /no wg0/,
  ],
  ["UDP port", "trouble", { handshakes: { isClosed: () => true } }, /vpn\.example\.com:51820/],
  [`mint ${URL}`, "mint-trouble", { mints: mints({ trouble: "HTTP 502" }) }, /HTTP 502/],
  [
    `mint ${URL}`,
    "mint-wrong",
    { mints: mints({ trouble: "shut off: too few", isShutOff: true }) },
    /shut off.*europa-node books/,
  ],
  [`mint ${URL}`, "sale-open", { settlement: { hasRoomAt: () => false } }, /without an outcome/],
  ["node", "node-trouble", { node: { trouble: () => "its wallet is locked" } }, /locked/],
  [
    "relay wss://b.example",
    "trouble",
    {
      relays: {
        status: () => [
          { url: "wss://a.example", connected: true },
          { url: "wss://b.example", connected: false },
        ],
      },
    },
    /nostr\.relays/,
  ],
  ["wallet", "wallet-event-not-taken", { wallet: { waitingSince: () => NOW - 600 } }, /no relay takes it/],
  ["books", "books-differ", { booksBalanced: () => false }, /europa-node books/],
  ["owed sales", "sale-owed", { sales: { openSales: () => [sale("owed", 1), sale("owed", 2)] } }, /^2 paid/],
  ["open sales", "sale-open", { sales: { openSales: () => [sale("swapping", 600)] } }, /^1 for more/],
])(
  "finds what is wrong with the %s, names the event %s, and says what to do",
  (name, event, broken, words) => {
    expect(findTroubles({ ...well, ...broken }).troubles).toEqual([
      { name, event, words: expect.stringMatching(words) },
    ]);
  },
);

it("says of what it knows nothing yet", () => {
  const unknown = { booksBalanced: () => undefined, handshakes: { isClosed: () => undefined } };
  expect(findTroubles({ ...well, ...unknown })).toEqual({ troubles: [], unknown: ["books", "UDP port"] });
});
