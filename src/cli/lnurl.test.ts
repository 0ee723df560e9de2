import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { utils } from "lnurl-pay";
import { renderUnicodeCompact } from "uqr";
import { afterEach, beforeEach, expect, it } from "vitest";
import { lnurl as lnurlCommand } from "./lnurl.ts";

const PRICES = `[
  { amount = 5, currency = "usd", unit = "month" },
  { amount = 1000, currency = "SAT", unit = "day" },
  { amount = 100, currency = "sat", unit = "hour" },
]`;
const LIGHTNING = '[lightning]\nenabled = true\nbackend = "stub"';

let folder: string;
let printed: string[];
let complained: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lnurl-"));
  printed = [];
  complained = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

function show(
  asJson: boolean,
  { prices = PRICES, lightning = LIGHTNING, host = "VPN.example.com:8443" },
): Promise<number | undefined> {
  const configPath = join(folder, "config.toml");
  const text = `
[server]
public_host = "${host}"
[wireguard]
server_pubkey = "HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw="
[nostr]
relays = ["wss://relay.example.com"]
nsec = "${"11".repeat(32)}"
${lightning}
[listing]
d_tag = "vpn-1"
title = "A tunnel"
prices = ${prices}
`;
  writeFileSync(configPath, text, { mode: 0o600 });
  const environment = {
    configPath,
    logLevel: "info",
    wireguardMode: "",
    defaultNsecFile: join(folder, "none"),
  };
  return lnurlCommand.run(asJson ? ["--json"] : [], {
    environment,
    print: (line) => printed.push(line),
    complain: (line) => complained.push(line),
    inColor: false,
  });
}

const urls = ["https://vpn.example.com:8443/lnurlp?p=1", "https://vpn.example.com:8443/lnurlp?p=2"];

it("--json: an object for each tier in sat, numbered as the listing numbers it", async () => {
  expect(await show(true, {})).toBe(0);
  expect(complained).toEqual([]);
  expect(printed).toHaveLength(1);
  const tiers = JSON.parse(printed[0] ?? "") as { [name: string]: string }[];
  expect(tiers.map(({ tier, url }) => [tier, url])).toEqual([
    ["1000 sat/day", urls[0]],
    ["100 sat/hour", urls[1]],
  ]);
  for (const { url, lnurl = "", lightning = "", ...rest } of tiers) {
    expect(Object.keys(rest)).toEqual(["tier"]);
    expect(lnurl).toBe(lnurl.toLowerCase());
    expect(utils.decodeUrlOrAddress(lnurl)).toBe(url);
    expect(lightning).toBe(`lightning:${lnurl}`);
  }
});

it("in words: the same, and a QR code of each in upper case", async () => {
  expect(await show(false, {})).toBe(0);
  const all = printed.join("\n");
  for (const url of urls) {
    const lnurl = printed[printed.indexOf(url) + 1] ?? "";
    expect(utils.decodeUrlOrAddress(lnurl)).toBe(url);
    expect(printed).toContain(`lightning:${lnurl}`);
    expect(all).toContain(renderUnicodeCompact(lnurl.toUpperCase()));
  }
  expect(all).not.toContain("usd");
});

it.each([
  ["Lightning is off", { lightning: "[lightning]\nenabled = false" }, /^Lightning is off: .*\[lightning\]/],
  ["it is not configured", { lightning: "" }, /^Lightning is off/],
  [
    "no tier is in sat",
    { prices: '[{ amount = 5, currency = "usd", unit = "month" }]' },
    /^No tier is priced in sat/,
  ],
])("1 and one plain line when %s", async (_name, config, said) => {
  for (const asJson of [true, false]) {
    expect(await show(asJson, config)).toBe(1);
    expect(complained.splice(0)).toEqual([expect.stringMatching(said)]);
  }
  expect(printed).toEqual([]);
});

it("78 and the problems for a config that is wrong", async () => {
  expect(await show(false, { host: "https://vpn.example.com" })).toBe(78);
  expect(complained).toEqual([expect.stringMatching(/^server\.public_host: /)]);
  expect(printed).toEqual([]);
});
