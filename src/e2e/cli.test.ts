import { randomBytes } from "node:crypto";
import { rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { nsecEncode } from "nostr-tools/nip19";
import { getPublicKey } from "nostr-tools/pure";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createBuyer } from "../testing/buyer.ts";
import { mintToken } from "../testing/ecash.ts";
import { startMint, type TestMint } from "../testing/mint.ts";
import { createOperator, type Operator } from "../testing/operator.ts";
import { orderAt } from "../testing/orders.ts";
import { startRelay, type TestRelay } from "../testing/relay.ts";

/** Each of these must end by itself: libraries keep timers, and `command` throws for what goes on. */

const DAY = { amount: 100, unit: "day" } as const;
/** A key, but no operator's here. */
const OTHER_P2PK = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";

let relay: TestRelay;
let mint: TestMint;
let operator: Operator;

beforeEach(async () => {
  relay = await startRelay();
  mint = await startMint();
  operator = await createOperator({ relays: [relay.url], mints: [mint.url] });
});

afterEach(async () => {
  await operator.destroy();
  await mint.stop();
  await relay.stop();
});

function logLines(text: string): { event?: string; level?: string; msg?: string }[] {
  return text
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line));
}

describe("arguments", () => {
  it("--version", async () => {
    const { exitCode, stdout, stderr } = await operator.command(["--version"]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\S*\n$/);
  });

  it("--help names every flag, both variables, and the exit codes", async () => {
    const { exitCode, stdout, stderr } = await operator.command(["--help"]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    for (const told of [
      "check-config",
      "--create-wallet",
      "--accept-clock",
      "--new-identity",
      "--version",
      "EUROPA_NODE_CONFIG",
      "LOG_LEVEL",
      "EUROPA_OPERATOR_WIREGUARD_MODE",
      "64",
      "78",
    ]) {
      expect(stdout).toContain(told);
    }
  });

  it.each([
    ["a command", ["books", "--help"], ["--json", "69"]],
    ["a command, asked before it", ["--help", "check-config"], ["file", "78"]],
    ["every command of a word", ["wallet", "--help"], ["wallet republish"]],
  ])("--help of %s", async (_name, args, told) => {
    const { exitCode, stdout, stderr } = await operator.command(args);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    for (const word of told) expect(stdout).toContain(word);
    expect(stdout).not.toContain("LOG_LEVEL");
  });

  it.each([
    ["an unknown flag", ["--frobnicate"], "--frobnicate"],
    ["a flag with a value it does not take", ["--help=yes"], "--help"],
    ["an unknown command", ["frobnicate"], "frobnicate"],
    ["half a command", ["wallet"], "wallet republish"],
    ["an argument too many", ["books", "all"], '"all"'],
  ])("64 for %s, in one line, and nothing is started", async (_name, args, named) => {
    const { exitCode, stdout, stderr } = await operator.command(args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: "" });
    expect(stderr).toContain(named);
    expect(stderr).toContain("--help");
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(() => statSync(operator.databasePath)).toThrow();
  });
});

it("a reader that stops reading, such as head, is no fault", async () => {
  operator.writeConfig({ commandPrefix: ["sh", "-c", '{ "$@"; echo "ended with $?" >&2; } | true', "sh"] });
  const { stderr } = await operator.command(["check-config"]);
  expect(stderr).toBe("ended with 0\n");
});

describe("check-config", () => {
  it("0 for a good one, and nothing is made", async () => {
    const { exitCode, stdout, stderr } = await operator.command(["check-config"]);
    expect({ exitCode, stdout, stderr }).toEqual({
      exitCode: 0,
      stdout: `${operator.configPath}: the daemon can start with this\n`,
      stderr: "",
    });
    expect(() => statSync(operator.databasePath)).toThrow();
  });

  it("78 for a bad one, named on the command line, a line per problem", async () => {
    const path = join(operator.folder, "bad.toml");
    writeFileSync(path, '[server]\npublic_host = "https://x"\n[wireguard]\nsubnet_cidr = "10.0.0.0/40"\n');
    const { exitCode, stdout } = await operator.command(["check-config", path]);
    expect(exitCode).toBe(78);
    const problems = stdout.split("\n").filter((line) => line.startsWith("problem: "));
    expect(stdout.trimEnd().split("\n")).toHaveLength(problems.length);
    for (const key of [
      "server.public_host",
      "wireguard.subnet_cidr",
      "nostr.nsec",
      "nostr.relays",
      "listing.title",
    ]) {
      expect(problems.filter((line) => line.startsWith(`problem: ${key}`))).toHaveLength(1);
    }
  });
});

describe("a start that is refused", () => {
  it("78: no file", async () => {
    rmSync(operator.configPath);
    const { exitCode, stderr, stdout } = await operator.command([]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 78, stdout: "" });
    expect(stderr).toContain(operator.configPath);
    expect(stderr).toContain("config.example.toml");
  });

  it("78: a bad config, a line per problem that says the mend, and no secret", async () => {
    operator.writeConfig({
      relays: ["https://relay.example.com"],
      subnet: "10.66.42.0/31",
      nsec: "nsec1oops",
    });
    const { exitCode, stderr, stdout } = await operator.command([]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 78, stdout: "" });
    const lines = stderr.trimEnd().split("\n");
    expect(lines.map((line) => line.split(":")[0]).sort()).toEqual([
      "nostr.nsec",
      "nostr.relays[0]",
      "wireguard.subnet_cidr",
    ]);
    for (const line of lines) expect(line).toMatch(/; write /);
    expect(stderr).not.toContain("nsec1oops");
    expect(stderr).not.toContain(operator.p2pkPrivkeyHex);
    expect(() => statSync(operator.databasePath)).toThrow();
  });

  it("78: broken TOML, by line and column, without the line itself", async () => {
    writeFileSync(operator.configPath, `[nostr]\nnsec = "${operator.nsecHex}\n`, { mode: 0o600 });
    const { exitCode, stderr } = await operator.command([]);
    expect(exitCode).toBe(78);
    expect(stderr).toMatch(/line 2, column \d+/);
    expect(stderr).not.toContain(operator.nsecHex);
  });

  it("78: a p2pk that is not the key's", async () => {
    operator.writeConfig({ p2pk: OTHER_P2PK });
    const { exitCode, stderr } = await operator.command([]);
    expect(exitCode).toBe(78);
    expect(stderr).toMatch(/^listing\.payment_methods\[0\]\.p2pk: /m);
    expect(stderr).toContain(operator.p2pk);
    expect(stderr).not.toContain(operator.p2pkPrivkeyHex);
  });

  it("1: the port is taken", async () => {
    await operator.start();
    const other = await createOperator({ relays: [relay.url], mints: [mint.url] });
    try {
      const port = new URL(operator.url).port;
      const otherPort = new URL(other.url).port;
      other.replaceInConfig(`port = ${otherPort}`, `port = ${port}`);
      const { exitCode, stdout } = await other.command([]);
      expect(exitCode).toBe(1);
      expect(logLines(stdout).at(-1)).toMatchObject({ event: "start-failed", level: "fatal" });
      expect(logLines(stdout).at(-1)?.msg).toContain("EADDRINUSE");
    } finally {
      await other.destroy();
    }
  });
});

describe("one database", () => {
  it("takes one daemon: a second is refused in plain words, the first goes on", async () => {
    await operator.start();
    const { exitCode, stdout, stderr } = await operator.command([]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: "" });
    const last = logLines(stdout).at(-1);
    expect(last?.event).toBe("start-failed");
    expect(last?.msg).toMatch(/^another europa-node already runs on the database .*: stop it first$/);
    expect(stdout).not.toContain("SQLITE");
    const { token } = await mintToken({ mintUrl: mint.url, amountSat: 100, lock: { pubkey: operator.p2pk } });
    expect((await createBuyer().purchase(orderAt(operator, DAY, { token }))).status).toBe(200);
  });

  it("takes the next daemon after a kill -9", async () => {
    await operator.start();
    await operator.kill();
    await operator.start();
    expect((await fetch(`${operator.url}/health`)).status).toBe(200);
  });

  it("belongs to one account: another nsec is refused", async () => {
    const nsec = await startOnceThenChangeAccount();
    const { exitCode, stdout } = await operator.command([]);
    expect(exitCode).toBe(78);
    const last = logLines(stdout).at(-1);
    expect(last?.msg).toContain("--new-identity");
    expect(last?.msg).toContain(operator.pubkey.slice(0, 12));
    expect(stdout).not.toContain(nsec.toString("hex"));
  });

  it("goes on with another account at --new-identity, and keeps that one", async () => {
    const nsec = await startOnceThenChangeAccount();
    await operator.start({ args: ["--new-identity"] });
    const info = (await (await fetch(`${operator.url}/info`)).json()) as { pubkey: string };
    expect(info.pubkey).toBe(getPublicKey(nsec));
    await operator.stop();
    await operator.start();
    await operator.stop();
    operator.writeConfig({ nsec: operator.nsecHex });
    expect((await operator.command([])).exitCode).toBe(78);
  });

  async function startOnceThenChangeAccount(): Promise<Buffer> {
    await operator.start();
    expect(await operator.stop()).toBe(0);
    const nsec = randomBytes(32);
    operator.writeConfig({ nsec: nsecEncode(nsec) });
    return nsec;
  }
});

it.each(["SIGTERM", "SIGINT"] as const)("%s: ends with 0, and says so", async (signal) => {
  await operator.start();
  expect(await operator.stop(signal)).toBe(0);
  expect(operator.events("shutting-down")).toMatchObject([{ signal }]);
});

it("SIGTERM while it still asks for its wallet: ends with 0 at once, and starts again", async () => {
  relay.mute = true;
  const refused = expect(operator.start()).rejects.toThrow(/did not say listening/);
  await operator.waitForEvent("relay-connected");
  expect(await operator.stop()).toBe(0);
  await refused;
  relay.mute = false;
  await operator.start();
});
