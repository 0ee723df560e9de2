import { describe, expect, it } from "vitest";
import type { Config } from "./config/types.ts";
import { currentListing, type MarketView } from "./current-listing.ts";

const mintA = { type: "cashu", mint: "https://a.test", p2pk: `02${"11".repeat(32)}` } as const;
const lightning = { type: "lightning", endpoint: "https://vpn.test/lnurlp", mechanism: "lnurl-pay" } as const;
const mintB = { type: "cashu", mint: "https://B.test/", p2pk: `02${"11".repeat(32)}` } as const;

function config(advertisedMethods: Config["advertisedMethods"]): Config {
  const listing = {
    dTag: "d",
    title: "t",
    content: "",
    protocols: ["wireguard"],
    topics: [],
    prices: [{ amount: 100, currency: "sat", unit: "day" }],
    policies: [],
    priceGraceSeconds: 3600,
    refreshMinutes: 60,
    soldWhenUnreachable: false,
  };
  return { listing, advertisedMethods } as unknown as Config;
}

const open: MarketView = { closed: undefined, mintUsable: () => true, nodeUsable: true };

describe("currentListing", () => {
  it("is active while a sale could succeed", () => {
    expect(currentListing(config([mintA, mintB]), open)).toMatchObject({
      status: "active",
      paymentMethods: [mintA, mintB],
    });
  });

  it("leaves out the tag of a mint that cannot be used, by its normalised URL", () => {
    const view = { ...open, mintUsable: (key: string) => key === "https://b.test" };
    expect(currentListing(config([mintA, mintB]), view)).toMatchObject({
      status: "active",
      paymentMethods: [mintB],
    });
  });

  it("leaves out the Lightning tag while the node cannot sell", () => {
    const methods = config([mintA, lightning]);
    expect(currentListing(methods, open)?.paymentMethods).toEqual([mintA, lightning]);
    expect(currentListing(methods, { ...open, nodeUsable: false })).toMatchObject({
      status: "active",
      paymentMethods: [mintA],
    });
    expect(currentListing(config([lightning]), { ...open, nodeUsable: false })).toMatchObject({
      status: "sold",
      paymentMethods: [lightning],
    });
  });

  it("keeps the tags and is sold when the last mint is down", () => {
    const view = { ...open, mintUsable: () => false };
    expect(currentListing(config([mintA, mintB]), view)).toMatchObject({
      status: "sold",
      paymentMethods: [mintA, mintB],
    });
  });

  it("is sold when nothing new can be served", () => {
    expect(currentListing(config([mintA]), { ...open, closed: "every address is taken" })?.status).toBe(
      "sold",
    );
  });

  it("is not there when no method is configured right", () => {
    expect(currentListing(config([]), open)).toBeUndefined();
  });

  it("publishes nothing of the operator's own settings", () => {
    const listing = currentListing(config([mintA]), open);
    expect(listing).not.toHaveProperty("priceGraceSeconds");
    expect(listing).not.toHaveProperty("refreshMinutes");
    expect(listing).not.toHaveProperty("soldWhenUnreachable");
  });
});
