import { expect, it } from "vitest";
import { healthReport } from "./health.ts";

const well = {
  pubkey: "ab".repeat(32),
  dTag: "d",
  database: undefined,
  wireguard: undefined,
  wallet: { events: 0, proofs: 0 },
  lightning: true,
  relays: [
    { url: "ws://a.test/", connected: true },
    { url: "ws://b.test/", connected: false },
  ],
};

it("is well, and says of the relays how many there are", () => {
  expect(healthReport(well)).toEqual({
    ok: true,
    service: "europa-node",
    pubkey: "abababababab",
    listing: "d",
    database: "ok",
    wireguard: "ok",
    wallet: "ok",
    lightning: "ok",
    relays: { connected: 1, total: 2 },
  });
});

it("says what is wrong, and keeps the mend for the log", () => {
  const report = healthReport({ ...well, wireguard: "wg0 has another key; wg set wg0 private-key /etc/key" });
  expect(report).toMatchObject({
    ok: false,
    reason: "wg0 has another key",
    wireguard: "wg0 has another key",
  });
  expect(JSON.stringify(report)).not.toContain("/etc/key");
});

it("names the database first, and what waits for a relay", () => {
  const report = healthReport({
    ...well,
    database: "full",
    wireguard: "down",
    wallet: { events: 2, proofs: 3 },
  });
  expect(report).toMatchObject({
    ok: false,
    reason: "full",
    wallet: "2 events and 3 proofs wait for a relay",
  });
});

it.each([
  [undefined, "off"],
  [true, "ok"],
  [false, "the Lightning node cannot sell now"],
])("says of a node that is %s: %s", (lightning, words) => {
  expect(healthReport({ ...well, lightning })).toMatchObject({ ok: true, lightning: words });
});

it("calls the wallet off without Cashu", () => {
  expect(healthReport({ ...well, wallet: undefined }).wallet).toBe("off");
});
