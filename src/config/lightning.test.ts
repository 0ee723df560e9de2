import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConfigError, loadConfig } from "../config.ts";

/** Signed by itself, as lnd's is. */
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBdDCCARmgAwIBAgIUPGK+q3Wq1pVXaIMr2PTBlge93jYwCgYIKoZIzj0EAwIw
DjEMMAoGA1UEAwwDbG5kMCAXDTI2MTEyMTE2MTM1N1oYDzIxMjYxMDI4MTYxMzU3
WjAOMQwwCgYDVQQDDANsbmQwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATOumLY
c4CZ9msjewy/2cAwyODetdnVmOvp9EMKIIt0itIWKeWcxVMxPyQ9cGNFKNBJenep
OMOnRTuiyst+HkPBo1MwUTAdBgNVHQ4EFgQUtr6qHcjYY18LAYot2fuFjLFCSjMw
HwYDVR0jBBgwFoAUtr6qHcjYY18LAYot2fuFjLFCSjMwDwYDVR0TAQH/BAUwAwEB
/zAKBggqhkjOPQQDAgNJADBGAiEA3F2eRawT+ZNQgXDC2jWad60x6lc5IQDP12eI
cj9x3xQCIQDBBMfMjRHjSDmq/vJ3/+fpPMv1cU3+YZacXnxJYlbxuQ==
-----END CERTIFICATE-----
`;

/** The start of each macaroon of lnd's: version 2, its location. */
const MACAROON = Buffer.from("0201036c6e640201ff", "hex");

const LISTED = '[[listing.payment_methods]]\ntype = "lightning"\n';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "config-lightning-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

function write(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}

/** A config whose `[lightning]` has these lines, and which lists Lightning unless told otherwise. */
function load(lines: string, methods = LISTED) {
  const path = write(
    "config.toml",
    `
[server]
public_host = "vpn.example.com"
port = 8081
[lightning]
enabled = true
${lines}
[nostr]
relays = ["wss://relay.example.com"]
nsec = "${"11".repeat(32)}"
[listing]
d_tag = "vpn-1"
title = "A tunnel"
${methods}
[[listing.prices]]
amount = 100
currency = "sat"
unit = "hour"
`,
  );
  const environment = { configPath: path, logLevel: "info", wireguardMode: "in-memory", defaultNsecFile: "" };
  return loadConfig(path, environment);
}

function problems(lines: string): string[] {
  try {
    load(lines);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  throw new Error("the config was taken");
}

const lnd = (lines: string) => `backend = "lnd"\n${lines}`;

describe("phoenixd", () => {
  it("needs a password and nothing else", () => {
    const { config, warnings } = load('api_token = "5ec4e7"');
    expect(warnings).toEqual([]);
    expect(config.lightning).toEqual({
      backend: "phoenixd",
      baseUrl: "http://127.0.0.1:9740",
      apiToken: "5ec4e7",
      certificate: undefined,
      successAction: "lud10",
      invoiceSeconds: 600,
      invoiceGraceSeconds: 120,
      stubSells: false,
    });
    expect(config.advertisedMethods).toEqual([
      { type: "lightning", endpoint: "https://vpn.example.com/lnurlp", mechanism: "lnurl-pay" },
    ]);
  });

  it("is refused without a password", () => {
    expect(problems("")).toEqual([
      "lightning.api_token: is missing while lightning.enabled is true and the backend is phoenixd; write phoenixd's http-password-limited-access (phoenix.conf has it), name a file with it in lightning.api_token_file, or write lightning.enabled = false",
    ]);
  });

  it("reads its password from a file, only the line's end trimmed", () => {
    const path = write("password", "aB c\n");
    expect(load(`api_token_file = "${path}"`).config.lightning?.apiToken).toBe("aB c");
  });

  it("is told of a file that cannot be read once", () => {
    expect(problems('api_token_file = "/nonexistent/password"')).toEqual([
      "lightning.api_token_file: the file does not exist; write the path of one that holds the secret and that this user may read",
    ]);
  });

  it("has no use for a certificate", () => {
    const { config, warnings } = load(
      `api_token = "5ec4e7"\ncert_file = "${write("tls.cert", CERTIFICATE)}"`,
    );
    expect(warnings).toEqual(["lightning.cert_file: not read, since phoenixd has no use for it"]);
    expect(config.lightning?.certificate).toBeUndefined();
  });
});

describe("lnd", () => {
  const hex = MACAROON.toString("hex");

  it("is asked over https, with a macaroon in hex and its certificate", () => {
    const { config, warnings } = load(
      lnd(`api_token = "${hex.toUpperCase()}"\ncert_file = "${write("tls.cert", CERTIFICATE)}"`),
    );
    expect(warnings).toEqual([]);
    expect(config.lightning).toMatchObject({
      backend: "lnd",
      baseUrl: "https://127.0.0.1:8080",
      apiToken: hex,
      certificate: CERTIFICATE,
    });
  });

  it.each([
    ["lnd's own file", MACAROON],
    ["hex", `${hex}\n`],
    ["hex in lines", `${hex.slice(0, 10)}\n${hex.slice(10)}\n`],
  ])("reads its macaroon from a file: %s", (_kind, content) => {
    const path = write("invoice.macaroon", content);
    expect(load(lnd(`api_token_file = "${path}"`)).config.lightning?.apiToken).toBe(hex);
  });

  it("is refused without a macaroon", () => {
    expect(problems(lnd(""))).toEqual([
      "lightning.api_token: is missing while lightning.enabled is true and the backend is lnd; write a macaroon in hex (`xxd -ps -c 1000 invoice.macaroon` prints it), name a file with it in lightning.api_token_file, or write lightning.enabled = false",
    ]);
  });

  it.each([MACAROON.toString("base64"), hex.slice(1)])(
    "is refused with what is no hex, unseen: %s",
    (token) => {
      const found = problems(lnd(`api_token = "${token}"`));
      expect(found).toEqual([
        "lightning.api_token: is no hex, as lnd wants its macaroon; write a macaroon in hex (`xxd -ps -c 1000 invoice.macaroon` prints it), or name the macaroon's own file in lightning.api_token_file",
      ]);
    },
  );

  it.each([
    ["no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"],
    ["a key", "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n"],
  ])("is refused with a file that holds %s", (_kind, content) => {
    expect(problems(lnd(`api_token = "${hex}"\ncert_file = "${write("tls.cert", content)}"`))).toEqual([
      "lightning.cert_file: the file holds no certificate (PEM); name lnd's tls.cert, or a copy of it",
    ]);
  });

  it("is refused with a certificate that cannot be read", () => {
    expect(problems(lnd(`api_token = "${hex}"\ncert_file = "/nonexistent/tls.cert"`))).toEqual([
      "lightning.cert_file: the file does not exist; name lnd's tls.cert, or a copy of it that this user may read",
    ]);
  });

  it.each(["http://127.0.0.1:8080", "http://lnd:8080", "http://[::1]:8080", "http://abc.onion"])(
    "may be asked at %s, where it runs with no-rest-tls",
    (url) => {
      const { config, warnings } = load(lnd(`api_token = "${hex}"\nbase_url = "${url}"`));
      expect(warnings).toEqual([]);
      expect(config.lightning?.baseUrl).toBe(url);
    },
  );

  it.each(["https://127.0.0.1:8081", "https://localhost:8081", "https://[::1]:8081"])(
    "is warned of at %s, where the daemon listens itself",
    (url) => {
      expect(load(lnd(`api_token = "${hex}"\nbase_url = "${url}"`)).warnings).toEqual([
        `lightning.base_url: ${url} has the port that this daemon listens on itself; change server.port or the node's`,
      ]);
    },
  );

  it.each(["http://192.0.2.1:8080", "http://node.example.com", "http://[2001:db8::1]:8080"])(
    "is warned of at %s, where the macaroon can be read on the way",
    (url) => {
      expect(load(lnd(`api_token = "${hex}"\nbase_url = "${url}"`)).warnings).toEqual([
        `lightning.base_url: ${url} is not encrypted, so anyone on the way can read lightning.api_token`,
      ]);
    },
  );
});

describe("the stub", () => {
  it("runs without a secret, and is not listed", () => {
    const { config, warnings } = load('backend = "stub"');
    expect(config.lightning).toMatchObject({ backend: "stub", apiToken: undefined, stubSells: false });
    expect(config.advertisedMethods).toEqual([]);
    expect(warnings).toEqual([
      'listing.payment_methods[0]: left out of the listing, because the invoices of lightning.backend = "stub" are worth nothing, and lightning.stub_sells is not true',
      "listing.payment_methods: none is left, so the listing is not published",
    ]);
  });

  it("is listed where it may sell, with a warning", () => {
    const { config, warnings } = load('backend = "stub"\nstub_sells = true');
    expect(config.lightning?.stubSells).toBe(true);
    expect(config.advertisedMethods.map(({ type }) => type)).toEqual(["lightning"]);
    expect(warnings).toEqual([
      "lightning.stub_sells: every invoice counts as paid after a second, so anyone gets a tunnel for nothing; for trials only",
    ]);
  });
});

it("warns when Lightning is accepted and not listed", () => {
  expect(load('api_token = "5ec4e7"', "payment_methods = []").warnings).toContain(
    "lightning.enabled: Lightning is accepted, but no [[listing.payment_methods]] of type lightning says so",
  );
});

it("takes stub_sells for the stub only", () => {
  expect(load('api_token = "5ec4e7"\nstub_sells = true').warnings).toEqual([]);
});

it.each([
  ["invoice_seconds", 0],
  ["invoice_seconds", 86_401],
  ["invoice_grace_seconds", -1],
])("refuses %s = %d", (key, value) => {
  expect(problems(`api_token = "5ec4e7"\n${key} = ${value}`)).toEqual([
    expect.stringMatching(`^lightning\\.${key}: cannot be ${value}; write a whole number of seconds from `),
  ]);
});
