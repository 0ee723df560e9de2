import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nip19 } from "nostr-tools";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConfigError, type Environment, loadConfig, readEnvironment } from "./config.ts";

const NSEC_HEX = "11".repeat(32);
const NSEC_PUBKEY = "4f355bdcb7cc0af728ef3cceb9615d90684bb5b2ca5f859ab0f0b704075871aa";
const P2PK_PRIVATE = `${"00".repeat(31)}01`;
const P2PK = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
const SERVER_KEY = "HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw=";

/** The least that starts. */
const LEAST = `
[server]
public_host = "vpn.example.com"
[wireguard]
server_pubkey = "${SERVER_KEY}"
[cashu]
enabled = true
p2pk_privkey_hex = "${P2PK_PRIVATE}"
[nostr]
relays = ["wss://relay.example.com"]
nsec = "${NSEC_HEX}"
[listing]
d_tag = "vpn-1"
title = "A tunnel"
[[listing.prices]]
amount = 100
currency = "sat"
unit = "hour"
[[listing.payment_methods]]
type = "cashu"
mint = "https://mint.example.com"
`;

/** As an operator has it who never heard of this daemon: every key of before, none of ours. */
const OLD_FILE = `
[server]
host = "0.0.0.0"
port = 8081
public_host = "VPN.example.com:8443"

[db]
path = "/var/lib/europa-node/old.db"

[wireguard]
interface = "wg1"
endpoint_host = "2001:db8::7"
endpoint_port = 51821
server_pubkey = "${SERVER_KEY}"
subnet_cidr = "10.66.42.1/24"
dns = ["1.1.1.1"]

[lightning]
enabled = false
backend = "phoenixd"
base_url = "http://127.0.0.1:9740"
api_token = "REPLACE_WITH_PHOENIXD_PASSWORD"

[cashu]
enabled = true
p2pk_privkey_hex = "${P2PK_PRIVATE.toUpperCase()}"
mint_url = "https://Third.example.com/"

[nostr]
relays = ["ws://127.0.0.1:7777", "wss://relay.example.com", "wss://relay.example.com"]
nsec = ""
nsec_file = "NSEC_FILE"

[notifications]
enabled = true
pubkey = "${nip19.npubEncode(NSEC_PUBKEY)}"
heartbeat_hours = 12

[listing]
d_tag = "old-vpn"
title = "Old VPN"
summary = ""
content = "# Hello <b>there</b>, paste the config and PASTE it again"
protocols = ["wireguard"]
policies = ["no-logs"]
policy_url = ""
protocol_config_url = ""
image = ""
topics = ["vpn"]

[listing.region]
country = "US"
sub = "US-FL"
geohash = "dhvr5"

[listing.capacity]
amount = 100
unit = "Mbit/s"

[listing.min_purchase]
amount = 1
unit = "hour"

[listing.max_purchase]
amount = 1.5
unit = "month"

[[listing.prices]]
amount = 100
currency = "SAT"
unit = "hour"

[[listing.prices]]
amount = 2000
currency = "sat"
unit = "GiB"

[[listing.payment_methods]]
type = "lightning"
endpoint = "https://vpn.example.com:8443/lnurlp"
mechanism = "lnurl-pay"

[[listing.payment_methods]]
type = "cashu"
mint = "https://mint.example.com/Bitcoin/"
p2pk = "03${P2PK.slice(2).toUpperCase()}"
endpoint = "https://vpn.example.com:8443/purchase"

[[listing.payment_methods]]
type = "cashu"
mint = "https://MINT.example.com:443/Bitcoin"
p2pk = "${P2PK}"
endpoint = "https://vpn.example.com:8443/purchase"
`;

let folder: string;
let environment: Environment;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "config-"));
  environment = {
    configPath: join(folder, "config.toml"),
    logLevel: "info",
    wireguardMode: "",
    defaultNsecFile: join(folder, "default-nsec"),
  };
});

afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string, mode = 0o600): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

function load(text: string, changes: Partial<Environment> = {}) {
  return loadConfig(write("config.toml", text), { ...environment, ...changes });
}

function refusal(text: string, changes: Partial<Environment> = {}): ConfigError {
  try {
    load(text, changes);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error("the config was taken");
}

function problems(text: string): string[] {
  return refusal(text).problems;
}

describe("a config with nothing but what is needed", () => {
  it("gets every default", () => {
    const { config, warnings } = load(LEAST);
    expect(warnings).toEqual([]);
    expect(config).toEqual({
      path: expect.stringMatching(/config\.toml$/),
      namedFiles: [],
      logLevel: "info",
      server: {
        host: "0.0.0.0",
        port: 8080,
        publicHost: "vpn.example.com",
        trustedProxies: ["127.0.0.0/8", "::1"],
      },
      db: { path: "/var/lib/europa-node/sessions.db" },
      wireguard: {
        mode: "kernel",
        interface: "wg0",
        endpoint: "vpn.example.com:51820",
        serverPubkey: SERVER_KEY,
        subnetCidr: "10.66.42.0/24",
        dns: ["1.1.1.1", "9.9.9.9"],
        mtu: undefined,
        exclusive: false,
        subnet6: undefined,
        enforcement: "auto",
        rateMbit: null,
        maxFlows: 4096,
        addressHoldSeconds: 300,
        tickSeconds: 5,
      },
      lightning: undefined,
      cashu: {
        privateKeyHex: P2PK_PRIVATE,
        p2pk: P2PK,
        mints: [{ key: "https://mint.example.com", url: "https://mint.example.com" }],
        maxFeeSat: 10,
        settleSeconds: 60,
        openHoldSeconds: 600,
      },
      nostr: { relays: ["wss://relay.example.com"], secretKeyHex: NSEC_HEX, pubkey: NSEC_PUBKEY },
      notifications: undefined,
      backup: { everyHours: 0, keep: 14, dir: "/var/lib/europa-node/backups", seal: undefined },
      listing: {
        dTag: "vpn-1",
        title: "A tunnel",
        summary: undefined,
        content: "",
        protocols: ["wireguard"],
        policies: [],
        policyUrl: undefined,
        protocolConfigUrl: undefined,
        image: undefined,
        topics: [],
        region: undefined,
        capacity: undefined,
        minPurchase: undefined,
        maxPurchase: undefined,
        prices: [{ amount: 100, currency: "sat", unit: "hour" }],
        priceGraceSeconds: 3600,
        refreshMinutes: 60,
        soldWhenUnreachable: false,
      },
      advertisedMethods: [
        {
          type: "cashu",
          mint: "https://mint.example.com",
          p2pk: P2PK,
          endpoint: "https://vpn.example.com/purchase",
        },
      ],
    });
  });

  it("needs no server key in memory, and one in the kernel", () => {
    const without = LEAST.replace(/server_pubkey = .*/, "");
    const { config } = load(without, { wireguardMode: "in-memory" });
    expect(config.wireguard).toMatchObject({ mode: "in-memory", serverPubkey: undefined });
    expect(problems(without)).toEqual([
      "wireguard.server_pubkey: is missing; write what `wg show wg0 public-key` prints, 44 characters",
    ]);
  });

  it("takes dns as wg-quick writes it", () => {
    const text = LEAST.replace("[wireguard]", '[wireguard]\ndns = "1.1.1.1, 2620:fe::fe"');
    expect(load(text).config.wireguard.dns).toEqual(["1.1.1.1", "2620:fe::fe"]);
  });
});

describe("an operator's old file", () => {
  function loadOld(nsec = `${nip19.nsecEncode(Buffer.from(NSEC_HEX, "hex"))}\n`) {
    return load(OLD_FILE.replace("NSEC_FILE", write("nsec", nsec)));
  }

  it("starts, with the method of a backend that is off left out", () => {
    const { config, warnings } = loadOld();
    expect(warnings).toEqual([
      "listing.payment_methods[0]: left out of the listing, because lightning.enabled is not true",
      "wireguard.subnet_cidr: 10.66.42.1/24 is taken as the network 10.66.42.0/24",
    ]);
    expect(config.lightning).toBeUndefined();
    expect(config.advertisedMethods.map((method) => method.type)).toEqual(["cashu", "cashu"]);
  });

  it("is read into the daemon's own terms", () => {
    const { config } = loadOld();
    expect(config.server).toMatchObject({ port: 8081, publicHost: "vpn.example.com:8443" });
    expect(config.wireguard).toMatchObject({ interface: "wg1", endpoint: "[2001:db8::7]:51821" });
    expect(config.nostr).toEqual({
      relays: ["ws://127.0.0.1:7777", "wss://relay.example.com"],
      secretKeyHex: NSEC_HEX,
      pubkey: NSEC_PUBKEY,
    });
    expect(config.notifications).toEqual({ pubkey: NSEC_PUBKEY, heartbeatHours: 12 });
    expect(config.listing).toMatchObject({
      summary: undefined,
      region: { country: "US", sub: "US-FL", geohash: "dhvr5" },
      maxPurchase: { amount: 1.5, unit: "month" },
      prices: [
        { amount: 100, currency: "sat", unit: "hour" },
        { amount: 2000, currency: "sat", unit: "GiB" },
      ],
    });
  });

  it("has each mint once, the legacy one among them", () => {
    expect(loadOld().config.cashu).toMatchObject({
      privateKeyHex: P2PK_PRIVATE,
      mints: [
        { key: "https://mint.example.com/Bitcoin", url: "https://mint.example.com/Bitcoin" },
        { key: "https://third.example.com", url: "https://Third.example.com" },
      ],
    });
  });

  it("starts with ecash off as well, and publishes nothing", () => {
    const { config, warnings } = load(LEAST.replace("enabled = true", "enabled = false"));
    expect(config.cashu).toBeUndefined();
    expect(config.advertisedMethods).toEqual([]);
    expect(warnings).toEqual([
      "listing.payment_methods[0]: left out of the listing, because cashu.enabled is not true",
      "listing.payment_methods: none is left, so the listing is not published",
    ]);
  });

  it("starts with Lightning on, and lists it", () => {
    const text = OLD_FILE.replace("enabled = false", "enabled = true")
      .replace("REPLACE_WITH_PHOENIXD_PASSWORD", "5ec4e7")
      .replace("NSEC_FILE", write("nsec", NSEC_HEX));
    const { config, warnings } = load(text);
    expect(warnings).toEqual(["wireguard.subnet_cidr: 10.66.42.1/24 is taken as the network 10.66.42.0/24"]);
    expect(config.lightning).toMatchObject({
      backend: "phoenixd",
      baseUrl: "http://127.0.0.1:9740",
      apiToken: "5ec4e7",
    });
    expect(config.advertisedMethods[0]).toEqual({
      type: "lightning",
      endpoint: "https://vpn.example.com:8443/lnurlp",
      mechanism: "lnurl-pay",
    });
  });
});

describe("secrets", () => {
  it("come by file, the line's end trimmed", () => {
    const text = LEAST.replace(
      /p2pk_privkey_hex = .*/,
      `p2pk_privkey_hex_file = "${write("p2pk", `${P2PK_PRIVATE}\r\n`)}"`,
    );
    expect(load(text).config.cashu?.privateKeyHex).toBe(P2PK_PRIVATE);
  });

  it("warns of files that everybody may read", () => {
    const path = write("nsec", NSEC_HEX, 0o644);
    const text = LEAST.replace(/nsec = .*/, `nsec_file = "${path}"`);
    expect(load(text).warnings).toEqual([
      `nostr.nsec_file: ${path} holds a secret and every user of this machine may read it; run: chmod 600 ${path}`,
    ]);
    const config = write("open.toml", LEAST, 0o644);
    expect(loadConfig(config, environment).warnings).toEqual([
      `the config file: ${config} holds a secret and every user of this machine may read it; run: chmod 600 ${config}`,
    ]);
  });

  it("falls back to the mounted nsec only when none is given", () => {
    const defaultNsecFile = write("default-nsec", "22".repeat(32));
    expect(load(LEAST, { defaultNsecFile }).config.nostr.secretKeyHex).toBe(NSEC_HEX);
    const without = LEAST.replace(/nsec = .*/, "");
    expect(load(without, { defaultNsecFile }).config.nostr.secretKeyHex).toBe("22".repeat(32));
  });

  it("names a file that cannot be read, once", () => {
    const text = LEAST.replace(/nsec = .*/, 'nsec_file = "/nonexistent/nsec"');
    expect(problems(text)).toEqual([
      "nostr.nsec_file: the file does not exist; write the path of one that holds the secret and that this user may read",
    ]);
  });

  it("refuses two that differ", () => {
    const text = LEAST.replace("[nostr]", `[nostr]\nnsec_file = "${write("nsec", "22".repeat(32))}"`);
    expect(problems(text)).toEqual([
      "nostr.nsec: differs from what nostr.nsec_file holds; write one of the two only",
    ]);
  });

  it("are refused once where a placeholder was left beside the file", () => {
    const file = `nsec_file = "${write("nsec", NSEC_HEX)}"`;
    expect(problems(LEAST.replace(/nsec = .*/, `${file}\nnsec = "REPLACE_WITH_NSEC"`))).toEqual([
      "nostr.nsec: differs from what nostr.nsec_file holds; write one of the two only",
    ]);
  });

  it("never stand in a problem, whichever key they were written to", () => {
    const nsec = nip19.nsecEncode(Buffer.from(NSEC_HEX, "hex"));
    const wrong = [
      LEAST.replace(/nsec = .*/, `nsec = "${nsec.slice(0, -1)}"`),
      LEAST.replace(/nsec = .*/, `nsec = ${nsec}`),
      LEAST.replace(/privkey_hex = .*/, 'privkey_hex = "5ec4e7"'),
      LEAST.replace("[wireguard]", `[notifications]\nenabled = true\npubkey = "${nsec}"\n[wireguard]`),
      LEAST.replace("vpn.example.com", nsec),
      LEAST.replace("A tunnel", `My key is ${nsec}`),
      LEAST.replace(/nsec = .*/, `nsec_file = "${nsec}"`),
      LEAST.replace(/nsec = .*/, `nsec_file = "${write("nsec", nsec.slice(0, -1))}"`),
    ];
    for (const text of wrong) {
      const { message } = refusal(text);
      expect(message).not.toContain(nsec.slice(0, 20));
      expect(message).not.toContain("5ec4e7");
    }
  });
});

describe("what stops the start", () => {
  it("has one line per problem: key, what is wrong, what to write instead", () => {
    const text = LEAST.replace('"vpn.example.com"', '"https://vpn.example.com/"\nport = 99999')
      .replace(SERVER_KEY, "no-key")
      .replace('unit = "hour"', 'unit = "fortnight"')
      .replace('"wss://relay.example.com"', '"https://relay.example.com"')
      .replace('title = "A tunnel"', "");
    expect(problems(text)).toEqual([
      "server.port: cannot be 99999; write a whole number from 1 to 65535",
      'server.public_host: cannot be "https://vpn.example.com/"; write the name buyers reach you by, without https:// and path, such as vpn.example.com or vpn.example.com:8443',
      'wireguard.server_pubkey: cannot be "no-key"; write this server\'s WireGuard public key, 44 characters, as `wg show wg0 public-key` prints it',
      'nostr.relays[0]: cannot be "https://relay.example.com"; write a relay\'s URL such as wss://relay.example.com',
      "listing.title: is missing; write one line that names your offer",
      'listing.prices[0].unit: cannot be "fortnight"; write one of hour, day, week, month, GiB, TiB',
    ]);
  });

  it("asks for everything of an empty file", () => {
    const names = problems("").map((problem) => problem.split(":")[0]);
    expect(names).toEqual([
      "server.public_host",
      "nostr.relays",
      "nostr.nsec",
      "listing.d_tag",
      "listing.title",
      "listing.prices",
    ]);
  });

  it("refuses a lock that nobody could open", () => {
    const text = LEAST.replace("type =", `p2pk = "02${"ab".repeat(32)}"\ntype =`);
    expect(problems(text)).toEqual([
      `listing.payment_methods[0].p2pk: is not the public key of cashu.p2pk_privkey_hex, so ecash locked to it would be lost; write ${P2PK}, or leave it out`,
    ]);
  });

  it("refuses ecash without a key", () => {
    expect(problems(LEAST.replace(/p2pk_privkey_hex = .*/, ""))[0]).toMatch(
      /^cashu\.p2pk_privkey_hex: is missing while cashu\.enabled is true; write /,
    );
  });

  it.each([
    ["nostr.nsec", /nsec = .*/, 'nsec = "REPLACE_WITH_NSEC"'],
    ["listing.title", /title = .*/, 'title = "REPLACE_WITH_TITLE"'],
    ["server.public_host", "vpn.example.com", "CHANGE_ME.example.com"],
    ["wireguard.server_pubkey", SERVER_KEY, "<your key>"],
    ["cashu.p2pk_privkey_hex", P2PK_PRIVATE, "PASTE 64 hex characters"],
    ["listing.payment_methods[0].mint", "https://mint.example.com", "https://REPLACE_WITH_A_MINT"],
  ])("refuses a placeholder in %s, in one line", (name, from, to) => {
    const found = problems(LEAST.replace(from, to));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(`${name}: still holds a placeholder; write your own: `);
  });

  it.each([
    ["wireguard.subnet_cidr", '"10.66.42.0/31"'],
    ["wireguard.subnet_cidr", '"10.0.0.0/8"'],
    ["wireguard.subnet_cidr", '"127.0.0.0/24"'],
    ["wireguard.subnet_cidr", '"fd00::/64"'],
    ["wireguard.interface", '"wg0; reboot"'],
    ["wireguard.interface", '"all"'],
    ["wireguard.endpoint_host", '"10.0.0.256"'],
    ["wireguard.dns", '["one.one.one.one"]'],
    ["wireguard.dns", "[]"],
    ["wireguard.mtu", "1279"],
    ["wireguard.tick_seconds", "61"],
    ["wireguard.exclusive", '"yes"'],
    ["server.trusted_proxies", '["10.0.0.0/33"]'],
    ["server.host", '"http://0.0.0.0"'],
    ["cashu.max_fee_sat", "-1"],
    ["cashu.mint_url", '"https://user:pass@mint.example.com"'],
    ["listing.d_tag", '"two\\nlines"'],
    ["listing.price_grace", "1.5"],
    ["wireguard.rate_mbit", "0"],
    ["wireguard.rate_mbit", "100001"],
    ["wireguard.rate_mbit", '"10"'],
    ["wireguard.max_flows", "-1"],
  ])("refuses %s = %s", (name, value) => {
    const [section = "", key = ""] = name.split(".");
    const text = LEAST.replace(new RegExp(`^${key} = .*$`, "m"), "");
    const found = problems(
      text.includes(`[${section}]`)
        ? text.replace(`[${section}]`, `[${section}]\n${key} = ${value}`)
        : `[${section}]\n${key} = ${value}\n${text}`,
    );
    expect(found).toHaveLength(1);
    expect(found[0]?.startsWith(name)).toBe(true);
  });

  it("refuses the same tier twice and half a sat", () => {
    const text = `${LEAST}
[[listing.prices]]
amount = 100
currency = "SAT"
unit = "hour"
[[listing.prices]]
amount = 100
currency = "sat"
unit = "hour"
rate_mbit = 10
[[listing.prices]]
amount = 0.5
currency = "sat"
unit = "GiB"
`;
    expect(problems(text)).toEqual([
      "listing.prices[1]: is the same tier as listing.prices[0], by amount, currency and unit; leave one of them out",
      "listing.prices[2]: is the same tier as listing.prices[0], by amount, currency and unit; leave one of them out",
      "listing.prices[3].amount: cannot be 0.5, since a sat has no parts; write a whole number",
    ]);
  });

  it("warns of one unit at two prices, unless one is faster", () => {
    const second = (unit: string, currency = "sat", rest = "", text = LEAST) =>
      load(`${text}[[listing.prices]]\namount = 90\ncurrency = "${currency}"\nunit = "${unit}"\n${rest}`)
        .warnings;
    expect(second("hour")).toContain(
      "listing.prices[1]: sells the hour at another price than listing.prices[0]; buyers take the cheaper one",
    );
    const sameByDefault = LEAST.replace("[wireguard]", "[wireguard]\nrate_mbit = 10");
    expect(second("hour", "sat", "rate_mbit = 10\n", sameByDefault)).toEqual(second("hour"));
    for (const warnings of [second("day"), second("hour", "usd"), second("hour", "sat", "rate_mbit = 10\n")])
      expect(warnings.filter((line) => line.startsWith("listing.prices"))).toEqual([]);
  });

  it("refuses a least above the most, in the same class only", () => {
    const bounds = (max: string) =>
      `${LEAST}[listing.min_purchase]\namount = 2\nunit = "day"\n[listing.max_purchase]\namount = 1\nunit = "${max}"\n`;
    expect(problems(bounds("day"))).toEqual([
      "listing.min_purchase: is more than listing.max_purchase; write less than that",
    ]);
    expect(load(bounds("week")).warnings).toEqual([]);
    expect(load(bounds("GiB")).warnings).toEqual([]);
  });

  it("refuses a folder as the database, and warns of one that all may write to", () => {
    const at = (path: string) => `[db]\npath = "${path}"\n${LEAST}`;
    expect(problems(at(folder))).toEqual([
      `db.path: ${folder} is a folder; write a file in it, such as ${folder}/sessions.db`,
    ]);
    chmodSync(folder, 0o777);
    expect(load(at(`${folder}/sessions.db`)).warnings).toEqual([
      `db.path: every user of this machine may take the database out of ${folder}; run: chmod 700 ${folder}`,
    ]);
    chmodSync(folder, 0o1777);
    expect(load(at(`${folder}/sessions.db`)).warnings).toEqual([]);
    expect(load(at("/nonexistent/sessions.db")).warnings).toEqual([]);
  });

  it("names a missing file, a folder, and the place of a syntax error", () => {
    expect(() => loadConfig("/nonexistent/config.toml", environment)).toThrow(
      "/nonexistent/config.toml: does not exist; copy config.example.toml there",
    );
    expect(() => loadConfig(folder, environment)).toThrow(
      `${folder}: is a folder; make it a file that this user may read, or name your file in EUROPA_NODE_CONFIG`,
    );
    expect(problems("[server]\nport = 12x")[0]).toMatch(/line 2, column \d+: Invalid TOML document/);
  });

  it("tells a problem of a method by its place in the file, off ones counted", () => {
    const text = LEAST.replace(
      "[[listing.payment",
      '[[listing.payment_methods]]\ntype = "lightning"\n[[listing.payment',
    ).replace("https://mint", "mint");
    expect(problems(text)[0]).toMatch(/^listing\.payment_methods\[1\]\.mint: cannot be/);
  });
});

describe("what is only warned of", () => {
  it("names unknown keys in full, with the nearest known one", () => {
    const text = LEAST.replace("[listing]", '[listing]\nsumary = "x"')
      .replace('unit = "hour"', 'unit = "hour"\ncurency = "sat"')
      .replace("[server]", "[sever]\nport = 1\n[server]");
    expect(load(text).warnings).toEqual([
      "sever: unknown key, not read; the nearest known key is server",
      "listing.sumary: unknown key, not read; the nearest known key is listing.summary",
      "listing.prices[0].curency: unknown key, not read; the nearest known key is listing.prices.currency",
    ]);
  });

  it("warns of ecash over plain http, unless it stays at home", () => {
    const at = (mint: string) => load(LEAST.replace("https://mint.example.com", mint)).warnings;
    expect(at("http://mint.example.com")).toEqual([
      "listing.payment_methods: http://mint.example.com is not encrypted, so anyone on the way can take the ecash",
    ]);
    expect(at("http://127.0.0.1:3338")).toEqual([]);
  });

  it("warns when nothing can be bought or a geohash is none", () => {
    const text = LEAST.replace('currency = "sat"', 'currency = "usd"').replace(
      "[[listing.prices]]",
      '[listing.region]\ngeohash = "dhaaa"\n[[listing.prices]]',
    );
    expect(load(text).warnings).toEqual([
      "listing.prices: no tier is priced in sat, so nothing can be bought",
      "listing.region.geohash: is no geohash, so the listing carries none",
    ]);
  });

  it("warns of protocols that are not served", () => {
    const { config, warnings } = load(
      LEAST.replace("[listing]", '[listing]\nprotocols = ["openvpn", "wireguard"]'),
    );
    expect(config.listing.protocols).toEqual(["wireguard"]);
    expect(warnings).toHaveLength(1);
  });

  it("takes an unknown log level and mode for the usual ones", () => {
    const { config, warnings } = load(LEAST, { logLevel: "loud", wireguardMode: "memory" });
    expect(config).toMatchObject({ logLevel: "info", wireguard: { mode: "kernel" } });
    expect(warnings).toHaveLength(2);
  });
});

describe("readEnvironment", () => {
  const names = ["EUROPA_NODE_CONFIG", "LOG_LEVEL", "EUROPA_OPERATOR_WIREGUARD_MODE"] as const;
  const before = names.map((name) => process.env[name]);

  afterEach(() => {
    names.forEach((name, index) => {
      if (before[index] === undefined) delete process.env[name];
      else process.env[name] = before[index];
    });
  });

  it("has the documented defaults", () => {
    for (const name of names) delete process.env[name];
    expect(readEnvironment()).toEqual({
      configPath: "/etc/europa-node/config.toml",
      logLevel: "info",
      wireguardMode: "",
      defaultNsecFile: "/etc/europa-node/secret/nsec",
    });
  });

  it("reads the three variables", () => {
    process.env.EUROPA_NODE_CONFIG = "/tmp/x.toml";
    process.env.LOG_LEVEL = "debug";
    process.env.EUROPA_OPERATOR_WIREGUARD_MODE = "in-memory";
    expect(readEnvironment()).toMatchObject({
      configPath: "/tmp/x.toml",
      logLevel: "debug",
      wireguardMode: "in-memory",
    });
  });
});
