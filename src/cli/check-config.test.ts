import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { checkConfig } from "./check-config.ts";

const GOOD = `
[server]
public_host = "vpn.example.com"
[wireguard]
server_pubkey = "HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw="
[nostr]
relays = ["wss://relay.example.com"]
nsec = "${"11".repeat(32)}"
[listing]
d_tag = "vpn-1"
title = "A tunnel"
prices = [{ amount = 100, currency = "sat", unit = "hour" }]
`;

let folder: string;
let printed: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "check-config-"));
  printed = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

function check(text: string, named: boolean): Promise<number | undefined> {
  const path = join(folder, "config.toml");
  writeFileSync(path, text, { mode: 0o600 });
  const configPath = named ? "/nonexistent/config.toml" : path;
  const environment = {
    configPath,
    logLevel: "info",
    wireguardMode: "",
    defaultNsecFile: join(folder, "none"),
  };
  return checkConfig.run(named ? [path] : [], {
    environment,
    print: (line) => printed.push(line),
    complain: (line) => printed.push(line),
    inColor: false,
  });
}

it("prints warnings and ends with 0 for a config that starts", async () => {
  expect(await check(GOOD, true)).toBe(0);
  expect(printed).toEqual([
    "warning: listing.payment_methods: none is left, so the listing is not published",
    `${join(folder, "config.toml")}: the daemon can start with this`,
  ]);
});

it("prints warnings and problems and ends with 78 for one that does not", async () => {
  expect(await check(`[cashew]\n${GOOD.replace("wss://", "https://")}`, false)).toBe(78);
  expect(printed).toEqual([
    "warning: cashew: unknown key, not read; the nearest known key is cashu",
    'problem: nostr.relays[0]: cannot be "https://relay.example.com"; write a relay\'s URL such as wss://relay.example.com',
  ]);
});
