import { expect, it } from "vitest";
import type { StatusReport } from "../daemon/status-report.ts";
import { createPaint } from "./paint.ts";
import { statusScreen } from "./status-screen.ts";

const NOW = 1_800_000_000;
const day = { sales: 2, sat: 200 };
const month = { sales: 30, sat: 12_000 };

const well: StatusReport = {
  version: "1.2.3",
  at: NOW,
  startedAt: NOW - 3 * 86_400,
  publicHost: "vpn.example.com",
  troubles: [],
  listing: { standing: "offered", closed: null, dTag: "vpn-1", pausedBy: null },
  restored: null,
  sales: {
    ways: [
      { method: "cashu", mintUrl: "https://mint.example", day, week: day, month },
      { method: "lightning", mintUrl: null, day, week: day, month },
    ],
    total: { day: { sales: 4, sat: 400 }, week: { sales: 4, sat: 400 }, month: { sales: 60, sat: 24_000 } },
  },
  tunnels: {
    live: 20,
    endingWithinDay: 3,
    poolSize: 253,
    poolFree: 233,
    interface: "wg0",
    rates: { defaultMbit: null, areSold: false, areHeld: true },
    trouble: null,
    unknownPeers: [],
    unknownPeerCount: 0,
  },
  open: {
    owed: { sales: 0, sat: 0, oldestAt: null },
    unresolved: { sales: 0, sat: 0, oldestAt: null },
    unpaidInvoices: 1,
  },
  wallet: {
    mints: [{ mintUrl: "https://mint.example", sat: 12_000 }],
    totalSat: 12_000,
    outbox: { events: 0, proofs: 0, sat: 0 },
  },
  mints: [{ url: "https://mint.example", answeredAt: NOW - 12, trouble: null }],
  lightning: { backend: "phoenixd", trouble: null },
  relays: [
    {
      url: "wss://relay.example",
      connected: true,
      has: "as-wanted",
      status: "active",
      createdAt: NOW - 600,
      said: null,
    },
  ],
  disk: { databasePath: "/x", databaseBytes: 2 ** 22, freeBytes: 9 * 2 ** 30, trouble: null },
};

it("fits a terminal, and says what is well in as many words", () => {
  expect(statusScreen(well, createPaint(false))).toEqual([
    "europa-node 1.2.3 at vpn.example.com, up 3 d, 2027-01-15 08:00 UTC",
    "listing vpn-1 is offered",
    "",
    "sold                  24 h  sat  7 d  sat  30 d    sat",
    "https://mint.example     2  200    2  200    30  12000",
    "Lightning                2  200    2  200    30  12000",
    "all                      4  400    4  400    60  24000",
    "",
    "tunnels     20 run, 3 to end within a day; 233 of 253 addresses are free",
    "owed        nothing",
    "unresolved  nothing",
    "wallet      12000 sat by the book, all on a relay",
    "Lightning   phoenixd answers, 1 unpaid invoice",
    "interface   wg0 is up",
    "disk        9 GiB free, the book has 4 MiB",
    "",
    "https://mint.example  answered 12 s ago",
    "wss://relay.example   listing as it is to be, active, of 10 min ago",
  ]);
});

it("says how fast tunnels are where rates are sold, and that nothing holds them there", () => {
  const line = (rates: StatusReport["tunnels"]["rates"]) =>
    statusScreen({ ...well, tunnels: { ...well.tunnels, rates } }, createPaint(false)).find((text) =>
      text.startsWith("rates"),
    );
  const held = { areSold: true, areHeld: true };
  expect(line({ ...held, defaultMbit: 50 })).toBe("rates       50 Mbit/s each way where a tier names none");
  expect(line({ ...held, defaultMbit: null })).toBe("rates       no limit where a tier names none");
  expect(line({ ...held, defaultMbit: 50, areHeld: false })).toBe(
    "rates       sold, and nothing holds tunnels to them (rates-not-held)",
  );
});

it("names what is wrong, each on its line, in colours that change no word", () => {
  const peers = Array.from({ length: 7 }, (_, last) => ({
    shortKey: `key${last}`,
    allowedIps: [`10.9.0.${last}/32`],
  }));
  const ill: StatusReport = {
    ...well,
    listing: { ...well.listing, closed: "every address is taken" },
    sales: { ways: [], total: well.sales.total },
    tunnels: { ...well.tunnels, trouble: "forwarding is off", unknownPeers: peers, unknownPeerCount: 9 },
    open: {
      owed: { sales: 2, sat: 200, oldestAt: NOW - 180 },
      unresolved: { sales: 1, sat: 50, oldestAt: NOW - 60 },
      unpaidInvoices: 0,
    },
    wallet: { mints: [], totalSat: 300, outbox: { events: 1, proofs: 2, sat: 100 } },
    mints: [{ url: "https://mint.example", answeredAt: null, trouble: "no answer" }],
    lightning: null,
    relays: [
      {
        url: "wss://a.example",
        connected: false,
        has: "unknown",
        status: null,
        createdAt: null,
        said: "could not connect",
      },
      { url: "wss://b.example", connected: true, has: "nothing", status: null, createdAt: null, said: null },
    ],
  };
  const plain = statusScreen(ill, createPaint(false));
  expect(plain.slice(1)).toEqual([
    "listing vpn-1 is out as sold: every address is taken",
    "",
    "nothing was sold in 30 days",
    "",
    expect.stringMatching(/^tunnels /),
    "owed        2 sales over 200 sat, the oldest from 3 min ago",
    "unresolved  1 sale over 50 sat, the oldest from 1 min ago",
    "wallet      300 sat by the book, 100 sat on no relay yet, in 1 event and 2 proofs",
    "interface   forwarding is off",
    "unknown     9 peers that the book does not know; their addresses are not sold",
    ...[0, 1, 2, 3, 4].map((last) => `              key${last}…  10.9.0.${last}/32`),
    "              and 4 more",
    expect.stringMatching(/^disk /),
    "",
    "https://mint.example  no answer; never answered",
    "wss://a.example       listing unknown, could not connect",
    "wss://b.example       listing does not have it",
  ]);
  const coloured = statusScreen(ill, createPaint(true)).join("\n");
  expect(coloured).toContain("\u001b[31mforwarding is off\u001b[0m");
  expect(coloured.replaceAll(new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, "g"), "")).toBe(
    plain.join("\n"),
  );
});

it.each(["paused", "retired"] as const)("says first that the listing is %s", (standing) => {
  const listing = { ...well.listing, standing, closed: "so", pausedBy: "operator" } as const;
  const [, line] = statusScreen({ ...well, listing }, createPaint(false));
  expect(line).toBe(`listing vpn-1 is ${standing}: nobody new is sold to`);
});

it("says first that a restored book is paused, and what ends that", () => {
  const listing = { ...well.listing, standing: "paused", closed: "so", pausedBy: "restored" } as const;
  const restored = { backupAt: NOW - 86_400, startedAt: NOW - 60 };
  const [, line] = statusScreen({ ...well, listing, restored }, createPaint(false));
  expect(line).toBe(
    "listing vpn-1 is paused: this book goes on from a backup of 2027-01-14 08:00 UTC; " +
      "see `restore --report`, then `listing resume`",
  );
  const resumed = statusScreen({ ...well, restored }, createPaint(false));
  expect(resumed).toEqual(statusScreen(well, createPaint(false)));
});

it("says which troubles hold at the top, five of them and how many more", () => {
  const troubles = Array.from({ length: 7 }, (_, nth) => ({
    name: `mint https://m${nth}.example`,
    since: NOW - 180,
    words: "no answer. It is asked again",
    event: "mint-trouble",
  }));
  const line = (nth: number) => `mint https://m${nth}.example, for 3 min: no answer. It is asked again`;
  const lines = (count: number) =>
    statusScreen({ ...well, troubles: troubles.slice(0, count) }, createPaint(false)).slice(2);
  expect(lines(1).slice(0, 2)).toEqual([line(0), ""]);
  expect(lines(5).slice(0, 6)).toEqual([...[0, 1, 2, 3, 4].map(line), ""]);
  expect(lines(7).slice(0, 7)).toEqual([...[0, 1, 2, 3, 4].map(line), "and 2 troubles more", ""]);
  const [, , coloured] = statusScreen({ ...well, troubles }, createPaint(true));
  expect(coloured).toBe(`\u001b[31m${line(0)}\u001b[0m`);
});
