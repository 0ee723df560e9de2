import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { decode } from "nostr-tools/nip19";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type BootstrapFolder, makeBootstrapFolder, npubOf, pointOf } from "../testing/bootstrap.ts";
import { findTool, toolsMissing } from "../testing/tools.ts";

const inCi = Boolean(process.env.CI);
const ROOT = join(import.meta.dirname, "../..");
const ANSWERS = { PUBLIC_HOST: "vpn.example.com", MINTS: "https://mint.example.com", REGION: "DE-BE" };

const missing = toolsMissing(["wg", "openssl"], inCi);
const reason = missing ? ` (skipped: ${missing})` : "";
const noShellcheck = toolsMissing(["shellcheck"], inCi);

vi.setConfig({ testTimeout: 90_000 });

let folder: BootstrapFolder;

beforeEach(async () => {
  folder = await makeBootstrapFolder();
});

afterEach(() => folder.remove());

it.skipIf(noShellcheck)(
  `has nothing that shellcheck objects to${noShellcheck ? ` (skipped: ${noShellcheck})` : ""}`,
  () => {
    const parts = readdirSync(join(ROOT, "scripts/bootstrap")).filter((name) => name.endsWith(".sh"));
    const scripts = ["scripts/bootstrap.sh", ...parts.map((name) => `scripts/bootstrap/${name}`)];
    expect(execFileSync("shellcheck", scripts, { cwd: ROOT, encoding: "utf8" })).toBe("");
  },
);

describe.skipIf(missing)(`with an openssl that cannot work out public keys${reason}`, () => {
  it("takes node, and says so", async () => {
    const { exitCode, stdout, stderr } = await folder.run({
      env: { ...ANSWERS, PATH: pathWith(oldOpenssl()) },
    });
    expect(exitCode).toBe(0);
    expect(stderr).toContain("node does it");
    expect(stdout).toContain(` ${npubOf(folder.read("secrets/nsec"))}\n`);
    expect(stdout).toContain(` ${pointOf(folder.read("secrets/p2pk"))}\n`);
  });

  it("and without node, says what to install", async () => {
    const programs = { ...oldOpenssl(), node: "exit 127" };
    const { exitCode, stderr } = await folder.run({ env: { ...ANSWERS, PATH: pathWith(programs) } });
    expect(exitCode).toBe(1);
    expect(stderr).toContain("install OpenSSL or Node");
    expect(folder.modes()).not.toHaveProperty(["config/config.toml"]);
  });
});

it.skipIf(missing)(`puts no private key into a program's arguments${reason}`, async () => {
  const log = `${folder.path} arguments`;
  const names = ["openssl", "wg", "awk", "sed", "grep", "tr", "od", "cat", "head", "ls", "mv", "mkdir"];
  const recording = names.map((name) => [name, `echo "$0 $*" >>"${log}"\nexec "${findTool(name)}" "$@"`]);
  const tokenFile = `${folder.path} token`;
  writeFileSync(tokenFile, "0201036c6e64aabbcc");
  const env = {
    ...ANSWERS,
    LIGHTNING: "lnd",
    LIGHTNING_TOKEN_FILE: tokenFile,
    PATH: pathWith(Object.fromEntries(recording)),
  };
  expect((await folder.run({ env })).exitCode).toBe(0);
  expect((await folder.run({ env })).exitCode).toBe(0);
  const told = readFileSync(log, "utf8");
  for (const name of names) expect(told).toContain(`/${name} `);
  for (const key of ["nsec", "p2pk", "wg-server.key", "lightning"]) {
    expect(told).not.toContain(folder.read(`secrets/${key}`).trim());
  }
  const nsec = decode(folder.read("secrets/nsec").trim());
  expect(told).not.toContain(Buffer.from(nsec.data as Uint8Array).toString("hex"));
});

describe.skipIf(missing)(`when config.example.toml changes${reason}`, () => {
  it.each([
    ["server.public_host", /^public_host = .*\n/m],
    ["db.path", /^path = .*\n/m],
    ["wireguard.server_pubkey", /^server_pubkey = .*\n/m],
    ["cashu.p2pk_privkey_hex_file", /^p2pk_privkey_hex_file = .*\n/m],
    ["nostr.nsec_file", /^nsec_file = .*\n/m],
    ["listing.title", /^title = .*\n/m],
    ["listing.region.sub", /^#sub = .*\n/m],
    ["listing.prices", /^\[\[listing\.prices\]\]\n/gm],
    ["listing.payment_methods:cashu.mint", /^mint = .*\n/m],
  ])("without %s there is no config, and the key is named", async (name, line) => {
    const root = rootWithExample((example) => example.replace(line, ""));
    const { exitCode, stderr } = await folder.run({ root, env: ANSWERS });
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`config.example.toml has no place for: `);
    expect(stderr).toContain(name);
    expect(folder.modes()).not.toHaveProperty(["config/config.toml"]);
  });

  it("its new keys, comments and defaults come along", async () => {
    const root = rootWithExample((example) =>
      example
        .replace("tick_seconds = 5", "tick_seconds = 7")
        .replace("[cashu]", "# News.\n[news]\nkey = 1\n\n[cashu]")
        .replace("REPLACE_WITH_TITLE", "Some other placeholder"),
    );
    expect((await folder.run({ root, env: ANSWERS })).exitCode).toBe(0);
    expect(folder.read("config/config.toml")).toContain("# News.\n[news]\nkey = 1\n");
    expect(folder.read("config/config.toml")).toContain("tick_seconds = 7");
    expect(folder.config()).toMatchObject({ listing: { title: "WireGuard at vpn.example.com" } });
  });
});

/** `pkey` alone fails in it. */
function oldOpenssl(): Record<string, string> {
  return { openssl: `[ "$1" != pkey ] || exit 1\nexec "${findTool("openssl")}" "$@"` };
}

/** A PATH on which these scripts come first. */
function pathWith(programs: Record<string, string>): string {
  const programFolder = `${folder.path} programs`;
  mkdirSync(programFolder);
  for (const [name, body] of Object.entries(programs)) {
    writeFileSync(join(programFolder, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  }
  return `${programFolder}:${process.env.PATH}`;
}

function rootWithExample(change: (example: string) => string): string {
  const root = `${folder.path} root`;
  cpSync(join(ROOT, "scripts/bootstrap"), join(root, "scripts/bootstrap"), { recursive: true });
  cpSync(join(ROOT, "scripts/bootstrap.sh"), join(root, "scripts/bootstrap.sh"));
  const example = readFileSync(join(ROOT, "config.example.toml"), "utf8");
  const changed = change(example);
  if (changed === example) throw new Error("the example does not have what is to be changed");
  writeFileSync(join(root, "config.example.toml"), changed);
  return root;
}
