import { describe, expect, it } from "vitest";
import { withIpv6 } from "./both-families.ts";
import { renderConf, renderUnpaidConf, type ServerEnd } from "./conf.ts";
import type { Session } from "./session-row.ts";
import { noTerms } from "./terms.ts";

const NOW = 1_800_000_000;
const server: ServerEnd = {
  pubkey: "ab".repeat(32),
  coordinate: `30402:${"ab".repeat(32)}:my-vpn`,
  serverPublicKey: "c2VydmVyc2VydmVyc2VydmVyc2VydmVyc2VydmVyc2U=",
  endpoint: "vpn.example.com:51820",
  dns: ["1.1.1.1", "9.9.9.9"],
  mtu: undefined,
  rateMbit: null,
  inBoth: withIpv6(undefined),
};
const session: Session = {
  sessionId: "s",
  publicKey: "k",
  address: "10.66.42.7",
  status: "active",
  purchasedAt: NOW,
  expiresAt: NOW + 3600,
  endedAt: null,
  terms: { ...noTerms, timeUntil: NOW + 3600 },
  lastReceivedBytes: 0,
  lastSentBytes: 0,
};
const purchased = { price: { amount: 100, currency: "sat", unit: "hour" as const }, method: "cashu" };

describe("the .conf", () => {
  it("is wg-quick's form, the private key left to the buyer", () => {
    expect(renderConf(server, session, purchased, NOW)).toBe(`# WireGuard tunnel bought over europa-protocol
# Operator: ${"ab".repeat(32)}
# Listing: 30402:${"ab".repeat(32)}:my-vpn
# Bought: 2027-01-15T08:00:00Z
# Expires: 2027-01-15T09:00:00Z
# Quota: none
# Tier: 100 sat/hour
# Method: cashu
# The private key is your own: the operator never sees it. Put it in the line below.

[Interface]
PrivateKey = <PASTE YOUR OWN PRIVATE KEY HERE>
Address = 10.66.42.7/32
DNS = 1.1.1.1, 9.9.9.9

[Peer]
PublicKey = c2VydmVyc2VydmVyc2VydmVyc2VydmVyc2VydmVyc2U=
Endpoint = vpn.example.com:51820
AllowedIPs = 0.0.0.0/0, ::/0
PersistentKeepalive = 25
`);
  });

  it("names the MTU when one is set, and no DNS when there is none", () => {
    const text = renderConf({ ...server, mtu: 1380, dns: [] }, session, purchased, NOW);
    expect(text).toContain("\nMTU = 1380\n");
    expect(text).not.toContain("DNS");
  });

  it("says how fast the tunnel is, and until when", () => {
    const timeRates = [{ until: NOW + 1800, rateMbit: 50 }];
    const fast = { ...session, terms: { ...session.terms, timeRates } };
    const slow = { ...server, rateMbit: 10 };
    expect(renderConf(slow, fast, purchased, NOW)).toContain(
      "\n# Quota: none\n# Rate: 50 Mbit/s each way until 2027-01-15T08:30:00Z, then 10 Mbit/s each way\n# Tier",
    );
    expect(renderConf(slow, fast, purchased, NOW + 1800)).toContain("\n# Rate: 10 Mbit/s each way\n");
    expect(renderConf(server, fast, purchased, NOW + 1800)).not.toContain("Rate");
    const data = { ...noTerms, quotaBytes: 9, usedBytes: 1, dataRates: [{ until: 4, rateMbit: 5 }] };
    expect(renderConf(server, { ...session, terms: data }, purchased, NOW)).toContain(
      "\n# Rate: 5 Mbit/s each way until 5 bytes are left, then no limit\n",
    );
  });

  it.each([
    [
      "data",
      { ...noTerms, quotaBytes: 1000, usedBytes: 300 },
      null,
      "when the data is used up",
      "700 bytes left",
    ],
    ["an old row without limits", noTerms, null, "never", "none"],
    ["an end beyond all calendars", noTerms, Number.MAX_SAFE_INTEGER, "9999-12-31T23:59:59Z", "none"],
  ])("says the end and the quota of %s", (_, terms, expiresAt, end, quota) => {
    const text = renderConf(server, { ...session, terms, expiresAt }, purchased, NOW);
    expect(text).toContain(`# Expires: ${end}\n`);
    expect(text).toContain(`# Quota: ${quota}\n`);
  });

  it("never lets a listing's name begin a line of its own", () => {
    const coordinate = "30402:ab:my\nPostUp = id\r\u2028x";
    const text = renderConf({ ...server, coordinate }, session, purchased, NOW);
    expect(text).toContain("# Listing: 30402:ab:my PostUp = id  x\n");
    expect(text.split("\n").some((line) => line.startsWith("PostUp"))).toBe(false);
  });

  it("keeps out of its comments what the page that shows it takes for mischief", () => {
    const coordinate = "30402:ab:<b>my\u202evpn";
    expect(renderConf({ ...server, coordinate }, session, purchased, NOW)).toContain(
      "# Listing: 30402:ab: b my vpn\n",
    );
  });

  it("names what is bought, and no end, before it is paid", () => {
    const claimUrl = "https://vpn.example.com/lnurlp/config/ab";
    const paidLater = { ...purchased, method: "lightning", claimUrl };
    const text = renderUnpaidConf(server, "10.66.42.9", { seconds: 7200, bytes: 0 }, paidLater);
    expect(text).toContain("# Bought: 7200 seconds, from the moment the tunnel is up\n");
    expect(text).toContain(`# claim: ${claimUrl}\n`);
    expect(text).toContain("Address = 10.66.42.9/32\n");
    expect(text).not.toMatch(/Expires|Quota|Rate/);
    const fast = { seconds: 7200, bytes: 0, rateMbit: 50 };
    for (const [bought, rate] of [
      [fast, 50],
      [{ ...fast, rateMbit: undefined }, 10],
    ] as const) {
      expect(renderUnpaidConf({ ...server, rateMbit: 10 }, "10.66.42.9", bought, paidLater)).toContain(
        `tunnel is up\n# Rate: ${rate} Mbit/s each way\n`,
      );
    }
    const data = renderUnpaidConf(server, "10.66.42.9", { seconds: 0, bytes: 5 }, paidLater);
    expect(data).toContain("# Bought: 5 bytes, ");
  });

  it.each<[string, Partial<ServerEnd>, Partial<Session>]>([
    ["endpoint", { endpoint: "a:1\nPostUp = id" }, {}],
    ["server key", { serverPublicKey: "k\r\nPostUp = id" }, {}],
    ["DNS", { dns: ["1.1.1.1\nPostUp = id"] }, {}],
    ["address", {}, { address: "10.0.0.1\n" }],
  ])("is not made with a line break in its %s", (_, badServer, badSession) => {
    expect(() =>
      renderConf({ ...server, ...badServer }, { ...session, ...badSession }, purchased, NOW),
    ).toThrow(/control character/);
  });
});
