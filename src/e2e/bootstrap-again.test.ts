import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { nsecEncode } from "nostr-tools/nip19";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  type BootstrapFolder,
  type Entry,
  makeBootstrapFolder,
  npubOf,
  pointOf,
} from "../testing/bootstrap.ts";
import { toolsMissing } from "../testing/tools.ts";
import { generateWireguardKeys } from "../testing/wireguard-keys.ts";

const ANSWERS = { PUBLIC_HOST: "vpn.example.com", MINTS: "https://mint.example.com" };

const missing = toolsMissing(["wg", "openssl"], Boolean(process.env.CI));
const reason = missing ? ` (skipped: ${missing})` : "";

vi.setConfig({ testTimeout: 90_000 });

let folder: BootstrapFolder;

beforeEach(async () => {
  folder = await makeBootstrapFolder();
});

afterEach(() => folder.remove());

describe.skipIf(missing)(`a second run${reason}`, () => {
  beforeEach(async () => {
    await folder.run({ env: ANSWERS });
  });

  it.each(["secrets/nsec", "secrets/wg-server.pub"])("makes %s when it alone is missing", async (file) => {
    const before = folder.snapshot();
    remove(file);
    const { exitCode, stdout } = await folder.run();
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`made    ${file}`);
    expect(without(file, folder.snapshot())).toEqual(without(file, before));
    expect((await folder.checkConfig()).exitCode).toBe(0);
  });

  it("makes the config anew from the same answers, for the keys that stand", async () => {
    const before = folder.snapshot();
    remove("config/config.toml");
    expect((await folder.run({ env: ANSWERS })).exitCode).toBe(0);
    expect(folder.snapshot()).toEqual(before);
  });

  it("makes a P2PK key in the place of a lost one, and says that the config has the lost one's", async () => {
    remove("secrets/p2pk");
    const { exitCode, stdout, stderr } = await folder.run();
    expect(exitCode).toBe(1);
    expect(stdout).toContain("made    secrets/p2pk");
    expect(stderr).toContain(`write p2pk = "${pointOf(folder.read("secrets/p2pk"))}"`);
    expect((await folder.checkConfig()).exitCode).toBe(78);
  });

  it("says that the WireGuard key is not the config's", async () => {
    const keys = generateWireguardKeys();
    folder.put("secrets/wg-server.key", `${keys.privateKey}\n`);
    const { exitCode, stderr } = await folder.run();
    expect(exitCode).toBe(1);
    expect(stderr).toContain("secrets/wg-server.pub is not the public key");
    expect(stderr).toContain(`write server_pubkey = "${keys.publicKey}"`);
  });

  it("makes no WireGuard key beside the public half of a lost one", async () => {
    remove("secrets/wg-server.key");
    const before = folder.snapshot();
    const { exitCode, stderr } = await folder.run();
    expect(exitCode).toBe(1);
    expect(stderr).toContain("secrets/wg-server.key is missing while secrets/wg-server.pub stands");
    expect(folder.snapshot()).toEqual(before);
  });

  it.each([
    ["n\n", undefined, 1],
    ["\n", "600", 0],
  ])("asks before it makes a missing key: %j", async (input, mode, exitCode) => {
    remove("secrets/nsec");
    const answered = await folder.run({ args: ["--for", "host"], input });
    expect(answered.exitCode).toBe(exitCode);
    expect(folder.modes()["secrets/nsec"]).toBe(mode);
  });

  it("tells of files and folders that others may use, and leaves them", async () => {
    chmodSync(join(folder.path, "secrets/nsec"), 0o644);
    chmodSync(join(folder.path, "data"), 0o755);
    const { exitCode, stdout } = await folder.run();
    expect(exitCode).toBe(0);
    expect(stdout).toContain("run: chmod 600");
    expect(stdout).toContain("run: chmod 700");
    expect(folder.modes()).toMatchObject({ "secrets/nsec": "644", data: "755" });
  });

  it("says when the config's files are those of the other --for", async () => {
    const { exitCode, stdout } = await folder.run({ args: ["--yes"] });
    expect(exitCode).toBe(0);
    expect(stdout).toContain("--for compose would write /etc/europa-node/secret/nsec");
    expect(stdout).toContain(npubOf(folder.read("secrets/nsec")));
  });

  it("tells of a proxy's site that is not the config's", async () => {
    writeFileSync(join(folder.path, ".env"), "PUBLIC_HOST=other.example.com\n");
    const { exitCode, stderr } = await folder.run({ args: ["--yes"] });
    expect(exitCode).toBe(1);
    expect(stderr).toContain("PUBLIC_HOST=vpn.example.com");
  });
});

describe.skipIf(missing)(`keys that an operator brings${reason}`, () => {
  it.each([
    ["hex", `${"00".repeat(31)}01`],
    ["the last that there is", "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140"],
    ["hex in capitals", "AB".repeat(32)],
    ["nsec1", nsecEncode(Buffer.alloc(32, 7))],
  ])("are kept: %s", async (_, nsec) => {
    folder.put("secrets/nsec", nsec);
    const { exitCode, stdout } = await folder.run({ env: ANSWERS });
    expect(exitCode).toBe(0);
    expect(stdout).toContain(` ${npubOf(nsec)}\n`);
    expect(folder.read("secrets/nsec")).toBe(nsec);
    expect((await folder.checkConfig()).exitCode).toBe(0);
  });

  it.each([
    ["nothing", ""],
    ["zero", "00".repeat(32)],
    ["the order of the curve", "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"],
    ["a mistyped nsec1", `${nsecEncode(Buffer.alloc(32, 7)).slice(0, -1)}q`],
    ["two keys", `${"11".repeat(32)}\n${"11".repeat(32)}`],
  ])("are told when they are none, and left: %s", async (_, nsec) => {
    folder.put("secrets/nsec", nsec);
    const { exitCode, stdout, stderr } = await folder.run({ env: ANSWERS });
    expect(exitCode).toBe(1);
    expect(stderr).toContain("secrets/nsec is no private key");
    if (nsec !== "") expect(stdout + stderr).not.toContain(nsec);
    expect(folder.read("secrets/nsec")).toBe(nsec);
    expect(folder.modes()).not.toHaveProperty(["config/config.toml"]);
  });

  it("count where the config holds them itself; no files are made beside it", async () => {
    const nsec = nsecEncode(Buffer.alloc(32, 9));
    const p2pk = "22".repeat(32);
    folder.put(
      "config/config.toml",
      `[server]
public_host="old.example.com"
[ nostr ]
  nsec = '${nsec}' # mine
[cashu]
enabled = true
p2pk_privkey_hex   = "${p2pk}"
[[listing.payment_methods]]
type = "cashu"
p2pk = "03${pointOf(p2pk).slice(2).toUpperCase()}"
`,
    );
    const { stdout, stderr } = await folder.run();
    expect(stdout).toContain(` ${npubOf(nsec)}\n`);
    expect(stdout).toContain("old.example.com");
    expect(folder.modes()).not.toHaveProperty(["secrets/nsec"]);
    expect(folder.modes()).not.toHaveProperty(["secrets/p2pk"]);
    expect(stderr).not.toContain("p2pk");
    expect(stderr).toContain("wireguard.server_pubkey");
  });

  it("count where the config says that they stand", async () => {
    const nsec = nsecEncode(Buffer.alloc(32, 9));
    folder.put("elsewhere/key", nsec);
    const elsewhere = join(folder.path, "elsewhere/key");
    folder.put("config/config.toml", `[nostr]\nnsec_file = "${elsewhere}"\n`);
    const { stdout } = await folder.run();
    expect(stdout).toContain(` ${npubOf(nsec)}\n`);
    expect(folder.modes()).not.toHaveProperty(["secrets/nsec"]);
  });
});

function remove(file: string): void {
  rmSync(join(folder.path, file));
}

function without(path: string, entries: readonly Entry[]): Entry[] {
  return entries.filter((entry) => entry.path !== path);
}
