import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { nsecEncode } from "nostr-tools/nip19";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  type BootstrapFolder,
  makeBootstrapFolder,
  makeBusyboxPath,
  npubOf,
  pointOf,
} from "../testing/bootstrap.ts";
import { toolsMissing } from "../testing/tools.ts";
import { wireguardPublicKey } from "../testing/wireguard-keys.ts";

const inCi = Boolean(process.env.CI);
const ROOT = join(import.meta.dirname, "../..");
const HOST = { PUBLIC_HOST: "vpn.example.com" };
const MINT = "https://mint.example.com";

const missing = toolsMissing(["wg", "openssl"], inCi);
const reason = missing ? ` (skipped: ${missing})` : "";

// A run starts a few hundred programs, one after another.
vi.setConfig({ testTimeout: 90_000 });

let folder: BootstrapFolder;

beforeEach(async () => {
  folder = await makeBootstrapFolder();
});

afterEach(() => folder.remove());

describe.skipIf(missing).each([["dash"], ["bash", "--posix"], ["busybox", "sh"]])(
  `under %s %s${reason}`,
  (...shell) => {
    const noShell = toolsMissing(shell.slice(0, 1), inCi);

    it.skipIf(noShell)("makes keys and a config that the daemon starts with, and keeps them", async () => {
      const env = { ...HOST, MINTS: MINT, ...(await pathFor(shell)) };
      const { exitCode, stdout, stderr } = await folder.run({ shell, env });
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
      expect(folder.modes()).toEqual({
        config: "700",
        "config/config.toml": "600",
        data: "700",
        secrets: "700",
        "secrets/nsec": "600",
        "secrets/p2pk": "600",
        "secrets/wg-server.key": "600",
        "secrets/wg-server.pub": "600",
      });
      for (const told of ["vpn.example.com", "UDP 51820", "TCP 80", npubOf(folder.read("secrets/nsec"))]) {
        expect(stdout).toContain(told);
      }
      const wireguardPubkey = wireguardPublicKey(folder.read("secrets/wg-server.key").trim());
      expect(folder.read("secrets/wg-server.pub").trim()).toBe(wireguardPubkey);
      expect(folder.config()).toMatchObject({
        server: { host: "127.0.0.1", public_host: "vpn.example.com" },
        wireguard: { server_pubkey: wireguardPubkey },
        cashu: { enabled: true },
        listing: {
          payment_methods: [{ type: "cashu", mint: MINT, p2pk: pointOf(folder.read("secrets/p2pk")) }],
        },
      });
      const checked = await folder.checkConfig();
      expect(checked).toMatchObject({ exitCode: 0, stdout: expect.not.stringContaining("warning") });

      const before = folder.snapshot();
      const again = await folder.run({ shell, env: { ...env, TITLE: "Another", MINTS: "" } });
      expect(again).toMatchObject({ exitCode: 0, stderr: "" });
      expect(again.stdout).toContain("stands  secrets/nsec");
      expect(again.stdout).toContain("stands  config/config.toml");
      expect(again.stdout).not.toContain("made");
      expect(folder.snapshot()).toEqual(before);
    });

    it.skipIf(noShell)("asks, and asks again where an answer is none", async () => {
      const typed = [
        ...["", "https://vpn.example.com/", "vpn example", "VPN.example.com"],
        "Tunnels",
        ...["DE-BE", "Germany", "", "u33a", "u33d"],
        ...["5/year", "5/hour 5/hour", "050/hour", "50/hour 2000/GiB"],
        ...["mint.example.com", `${MINT} ${MINT}/`, `${MINT} https://other.example.com/Bitcoin`],
        ...["https://relay.example.com", "wss://relay.example.com"],
        ...["maybe", "none"],
        "",
        ...["npub1mistyped", npubOf("11".repeat(32))],
      ];
      const { exitCode, stderr } = await folder.run({
        shell,
        args: ["--for", "host"],
        env: await pathFor(shell),
        input: typed.map((line) => `${line}\n`).join(""),
      });
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
      expect(folder.config()).toMatchObject({
        server: { public_host: "vpn.example.com" },
        nostr: { relays: ["wss://relay.example.com"] },
        notifications: { enabled: true, pubkey: npubOf("11".repeat(32)) },
        listing: {
          title: "Tunnels",
          summary: "WireGuard tunnels, paid in ecash.",
          region: { country: "DE", sub: "DE-BE", geohash: "u33d" },
          prices: [
            { amount: 50, currency: "sat", unit: "hour" },
            { amount: 2000, currency: "sat", unit: "GiB" },
          ],
          payment_methods: [{ mint: MINT }, { mint: "https://other.example.com/Bitcoin" }],
        },
      });
      expect((await folder.checkConfig()).exitCode).toBe(0);
    });

    it
      .skipIf(noShell)
      .each([
        `He said "hi" \\ 'there' \\" [cashu] enabled = false # \\\\`,
        "$(touch pwned) `touch pwned` $HOME $$ %s %d \\n \\x41 * & ;",
        "😀",
        "-n Ünïcödé 漢字",
      ])("writes this title as it is: %s", async (title) => {
      const env = { ...HOST, TITLE: title, SUMMARY: title, ...(await pathFor(shell)) };
      expect(await folder.run({ shell, env })).toMatchObject({ exitCode: 0, stderr: "" });
      expect(folder.config()).toMatchObject({ listing: { title, summary: title } });
      expect((await folder.checkConfig()).exitCode).toBe(0);
      expect(Object.keys(folder.modes())).not.toContain("pwned");
    });
  },
);

describe.skipIf(missing)(`answers from the environment${reason}`, () => {
  it("without a mint turn ecash off, and it says that nothing can be sold for it", async () => {
    const { exitCode, stdout } = await folder.run({ env: HOST });
    expect(exitCode).toBe(0);
    expect(stdout).toContain("nothing can be sold for ecash yet");
    expect(folder.config()).toMatchObject({
      cashu: { enabled: false },
      listing: {
        d_tag: "my-vpn-1",
        title: "WireGuard at vpn.example.com",
        summary: "WireGuard tunnels.",
        prices: [
          { amount: 100, currency: "sat", unit: "hour" },
          { amount: 1000, currency: "sat", unit: "day" },
        ],
      },
    });
    expect((await folder.checkConfig()).exitCode).toBe(0);
  });

  it.each([
    ["phoenixd", "http://127.0.0.1:9740", Buffer.from("pass word\n"), "pass word\n"],
    ["lnd", "https://127.0.0.1:8080", Buffer.from("0201036c6e64ff", "hex"), "0201036c6e64ff\n"],
    ["lnd", "https://127.0.0.1:8080", Buffer.from("0201036C6E64FF\n"), "0201036c6e64ff\n"],
  ])("turn Lightning on, and copy the secret of %s", async (backend, url, secret, copied) => {
    const tokenFile = `${folder.path} token`;
    writeFileSync(tokenFile, secret);
    const env = { ...HOST, LIGHTNING: backend, LIGHTNING_TOKEN_FILE: tokenFile };
    expect(await folder.run({ env })).toMatchObject({ exitCode: 0, stderr: "" });
    expect(folder.read("secrets/lightning")).toBe(copied);
    expect(folder.modes()["secrets/lightning"]).toBe("600");
    expect(folder.config()).toMatchObject({
      lightning: {
        enabled: true,
        backend,
        base_url: url,
        api_token_file: join(folder.path, "secrets/lightning"),
      },
      listing: {
        summary: "WireGuard tunnels, paid over Lightning.",
        payment_methods: [{ type: "cashu" }, { type: "lightning" }],
      },
    });
    expect((await folder.checkConfig()).exitCode).toBe(0);
  });

  it.each([
    ["PUBLIC_HOST", "", "is missing"],
    ["PUBLIC_HOST", "https://vpn.example.com", "leave out https://"],
    ["PUBLIC_HOST", 'x"\nport = 1', "line break"],
    ["PUBLIC_HOST", "a.example:70000", "above 65535"],
    ["PUBLIC_HOST", "1.2.3.400", "IPv4"],
    ["TITLE", "a\nb", "line break"],
    ["TITLE", "a\u0085b", "control character"],
    ["TITLE", "a\u001bb", "control character"],
    ["TITLE", "REPLACE_WITH_TITLE", "placeholder"],
    ["TITLE", nsecEncode(Buffer.alloc(32, 1)), "private key"],
    ["TITLE", "x".repeat(1001), "longer"],
    ["SUMMARY", "a\nb", "line break"],
    ["D_TAG", "<name>", "< or >"],
    ["COUNTRY", "DE\tx", "control character"],
    ["COUNTRY", "Germany", "two letters"],
    ["REGION", "a\nb", "line break"],
    ["GEOHASH", "ail", "geohash"],
    ["PRICES", "100/hour 1.5/day", "1.5/day"],
    ["PRICES", "1000/year", "1000/year"],
    ["PRICES", "1/hour\n[cashu]", "[cashu]"],
    ["MINTS", `${MINT}\n[x]`, "line break"],
    ["MINTS", `${MINT}?q`, "is not like"],
    ["MINTS", `${MINT} ${MINT}/`, "twice"],
    ["RELAYS", 'wss://a.example"]', "is not like"],
    ["LIGHTNING", "cln", "neither none"],
    ["NOTIFY", "npub1xyz", "mistyped"],
    ["NOTIFY", "ab", "64 hex"],
  ])("are refused by name when wrong, and nothing is written: %s=%j", async (name, value, words) => {
    const { exitCode, stderr } = await folder.run({ env: { ...HOST, [name]: value } });
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(new RegExp(`^bootstrap: ${name} `));
    expect(stderr).toContain(words);
    expect(() => folder.snapshot()).toThrow(/ENOENT/);
  });

  it.each([
    ["phoenixd", "", "LIGHTNING_TOKEN_FILE is missing"],
    ["phoenixd", "a\nb", "does not hold just the password"],
    ["lnd", "password", "is no macaroon"],
  ])("are refused when the secret of %s is %j", async (backend, secret, words) => {
    const tokenFile = `${folder.path} token`;
    writeFileSync(tokenFile, secret);
    const env = { ...HOST, LIGHTNING: backend, LIGHTNING_TOKEN_FILE: secret === "" ? "" : tokenFile };
    const { exitCode, stderr } = await folder.run({ env });
    expect(exitCode).toBe(1);
    expect(stderr).toContain(words);
    expect(() => folder.snapshot()).toThrow(/ENOENT/);
  });

  it("are refused when they are not UTF-8", () => {
    const command = 'TITLE=$(printf "caf\\351") PUBLIC_HOST=x.example exec sh scripts/bootstrap.sh --yes';
    const env = { PATH: process.env.PATH, TARGET_DIR: folder.path };
    expect(() => execFileSync("sh", ["-c", command], { cwd: ROOT, env, stdio: "pipe" })).toThrow(
      /TITLE is not UTF-8/,
    );
  });
});

describe.skipIf(missing)(`the command line${reason}`, () => {
  it("says so when the input ends before the last answer, and writes nothing", async () => {
    const { exitCode, stderr } = await folder.run({ args: [], input: "vpn.example.com\nTitle" });
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: "bootstrap: the input ended before all was answered\n",
    });
    expect(() => folder.snapshot()).toThrow(/ENOENT/);
  });

  it.each([[["--yes", "--for", "cloud"]], [["--yes", "--for"]], [["--force"]]])(
    "does not take %j",
    async (args) => {
      expect((await folder.run({ args, env: HOST })).exitCode).toBe(64);
      expect(() => folder.snapshot()).toThrow(/ENOENT/);
    },
  );

  it("--help names every answer", async () => {
    const { exitCode, stdout } = await folder.run({ args: ["--help"] });
    expect(exitCode).toBe(0);
    for (const name of ["PUBLIC_HOST", "MINTS", "PRICES", "LIGHTNING_TOKEN_FILE", "NOTIFY", "TARGET_DIR"]) {
      expect(stdout).toContain(`  ${name} `);
    }
  });

  it("for compose, files are named as they are mounted, and the site is named for the proxy", async () => {
    expect((await folder.run({ args: ["--yes"], env: { ...HOST, MINTS: MINT } })).exitCode).toBe(0);
    expect(folder.config()).toMatchObject({
      db: { path: "/var/lib/europa-node/sessions.db" },
      nostr: { nsec_file: "/etc/europa-node/secret/nsec" },
      cashu: { p2pk_privkey_hex_file: "/etc/europa-node/secret/p2pk" },
    });
    expect(folder.read(".env")).toBe("PUBLIC_HOST=vpn.example.com\n");
    expect(folder.modes()).toMatchObject({ ".env": "600", "config/secret": "700" });
  });
});

/** Under busybox, nothing but its own programs and what the script says it needs. */
async function pathFor(shell: readonly string[]): Promise<{ PATH?: string }> {
  if (shell[0] !== "busybox") return {};
  return { PATH: await makeBusyboxPath(`${folder.path} tools`, ["wg", "openssl"]) };
}
