import { type ChildProcess, spawn } from "node:child_process";
import { createECDH, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getPublicKey } from "nostr-tools/pure";
import { freePort } from "./free-port.ts";
import { generateWireguardKeys, type WireguardKeyPair } from "./wireguard-keys.ts";

/** An operator's folder with config and keys, and the daemon that runs from it as its own process. */
export interface Operator {
  folder: string;
  databasePath: string;
  configPath: string;
  url: string;
  /** Of the daemon that runs. */
  pid(): number;
  pubkey: string;
  nsecHex: string;
  p2pk: string;
  p2pkPrivkeyHex: string;
  publicHost: string;
  dTag: string;
  serverKeys: WireguardKeyPair;
  /** Starts the daemon; resolves when it listens, throws with its output when it ends before. */
  start(options?: StartOptions): Promise<void>;
  /** Starts it and waits for its end: for starts that must be refused. */
  startAndWait(args?: readonly string[]): Promise<number>;
  /** Runs the binary beside whatever runs, and waits for it to end by itself; throws when it does not in time. */
  command(args: readonly string[], timeoutMs?: number): Promise<Ended>;
  /** SIGTERM unless told, and waits for its end. Returns the exit code. */
  stop(signal?: "SIGTERM" | "SIGINT"): Promise<number>;
  /** kill -9, and waits for its end. */
  kill(): Promise<void>;
  signal(name: NodeJS.Signals): void;
  /** Log events by name, of all runs so far. */
  events(name: string): Record<string, unknown>[];
  waitForEvent(name: string, timeoutMs?: number, skip?: number): Promise<Record<string, unknown>>;
  /** Everything the daemon ever printed. */
  output(): string;
  writeConfig(overrides?: Partial<OperatorSettings>): void;
  /** Changes a piece of the config as it stands, until it is written anew. Throws when the piece is not there. */
  replaceInConfig(piece: string, by: string): void;
  /** Kills what runs and removes the folder. */
  destroy(): Promise<void>;
}

export interface Ended {
  exitCode: number;
  stdout: string;
  stderr: string;
}

export interface OperatorSettings {
  relays: readonly string[];
  mints: readonly string[];
  prices?: readonly { amount: number; unit: string; rateMbit?: number | undefined }[];
  /** Of tiers that have none. */
  rateMbit?: number;
  subnet?: string;
  subnet6?: string;
  interfaceName?: string;
  wireguard?: "in-memory" | "kernel";
  /** What holds tunnels to their limits; the config says nothing unless told. */
  enforcement?: "auto" | "kernel" | "daemon";
  endpoint?: { host: string; port: number };
  host?: string;
  /** Where the proxy is reached, over https; without one the daemon itself is, over http. */
  publicHost?: string;
  /** Beside what the daemon is always given. */
  environment?: Readonly<Record<string, string>>;
  /** Put before the daemon's own command, such as `["ip", "netns", "exec", "operator"]`. */
  commandPrefix?: readonly string[];
  tickSeconds?: number;
  settleSeconds?: number;
  /** How long an unresolved sale keeps its address. */
  openHoldSeconds?: number;
  /** How long an address is kept after its session's end. */
  addressHoldSeconds?: number;
  minPurchase?: { amount: number; unit: string };
  maxPurchase?: { amount: number; unit: string };
  /** Default true. */
  cashuEnabled?: boolean;
  /** Default 10. */
  maxFeeSat?: number;
  lightning?: LightningSettings;
  /** In the place of the operator's own. */
  nsec?: string;
  p2pk?: string;
  /** Default `debug`. */
  logLevel?: string;
  /** A file that Node runs before the daemon, in its process. */
  preload?: string;
  /** More TOML, appended at the end. */
  more?: string;
  serverKeys?: WireguardKeyPair;
}

/** The node; with it, the listing has a Lightning method. */
export interface LightningSettings {
  backend: "phoenixd" | "lnd" | "stub";
  baseUrl?: string;
  apiToken?: string;
  certFile?: string;
  stubSells?: boolean;
  invoiceSeconds?: number;
  invoiceGraceSeconds?: number;
  successAction?: "lud10" | "v1";
}

interface StartOptions {
  args?: readonly string[];
  timeoutMs?: number;
}

const daemonFile = join(import.meta.dirname, "../../dist/index.cjs");

export async function createOperator(initial: OperatorSettings): Promise<Operator> {
  const folder = mkdtempSync(join(tmpdir(), "europa-operator-"));
  const databasePath = join(folder, "data", "sessions.db");
  const configPath = join(folder, "config", "config.toml");
  mkdirSync(join(folder, "config"), { mode: 0o700 });
  const port = await freePort();
  const nsec = randomBytes(32);
  const p2pkPrivkeyHex = randomBytes(32).toString("hex");
  const serverKeys = initial.serverKeys ?? generateWireguardKeys();
  const host = initial.host ?? "127.0.0.1";
  const operator = {
    folder,
    databasePath,
    configPath,
    url: `http://${host}:${port}`,
    pubkey: getPublicKey(nsec),
    nsecHex: nsec.toString("hex"),
    p2pk: publicKeyOf(p2pkPrivkeyHex),
    p2pkPrivkeyHex,
    publicHost: initial.publicHost ?? `${host}:${port}`,
    origin: initial.publicHost === undefined ? `http://${host}:${port}` : `https://${initial.publicHost}`,
    dTag: "test-tunnels",
    serverKeys,
  };
  let settings = initial;
  let child: ChildProcess | undefined;
  let output = "";

  function writeConfig(overrides: Partial<OperatorSettings> = {}): void {
    settings = { ...settings, ...overrides };
    writeFileSync(configPath, configText({ ...operator, port, host }, settings), { mode: 0o600 });
  }
  writeConfig();

  function launch(args: readonly string[]): ChildProcess {
    const node = [process.execPath, ...(settings.preload ? ["--require", settings.preload] : [])];
    const argv = [...(settings.commandPrefix ?? []), ...node, daemonFile, ...args];
    const mode = settings.wireguard ?? "in-memory";
    const started = spawn(argv[0] as string, argv.slice(1), {
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        PATH: process.env.PATH,
        EUROPA_NODE_CONFIG: configPath,
        LOG_LEVEL: settings.logLevel ?? "debug",
        ...settings.environment,
        ...(mode === "in-memory" ? { EUROPA_OPERATOR_WIREGUARD_MODE: "in-memory" } : {}),
      },
    });
    for (const stream of [started.stdout, started.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
    }
    return started;
  }

  function records(name: string): Record<string, unknown>[] {
    // What follows the last line break is a line that has not come whole.
    return output
      .slice(0, output.lastIndexOf("\n") + 1)
      .split("\n")
      .filter((line) => line.includes(`"event":"${name}"`))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  async function waitForEvent(name: string, timeoutMs = 20_000, skip = 0): Promise<Record<string, unknown>> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const found = records(name)[skip];
      if (found) return found;
      if (child === undefined || child.exitCode !== null || Date.now() > deadline) {
        throw new Error(`the daemon did not say ${name}:\n${output.slice(-4000)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async function end(signal: NodeJS.Signals): Promise<number> {
    const running = child;
    child = undefined;
    if (!running || running.exitCode !== null || running.signalCode !== null) return running?.exitCode ?? 0;
    running.kill(signal);
    return exitOf(running);
  }

  return {
    ...operator,
    writeConfig,
    replaceInConfig(piece, by) {
      const text = readFileSync(configPath, "utf8");
      if (!text.includes(piece)) throw new Error(`the config has no ${piece}`);
      writeFileSync(configPath, text.replace(piece, by));
    },
    async start({ args = [], timeoutMs = 30_000 } = {}) {
      const before = records("listening").length;
      child = launch(args);
      await waitForEvent("listening", timeoutMs, before);
    },
    startAndWait: (args = []) => exitOf(launch(args)),
    pid() {
      if (child?.pid === undefined) throw new Error("no daemon runs");
      return child.pid;
    },
    command: (args, timeoutMs = 20_000) => endingByItself(launch(args), timeoutMs),
    stop: (signal = "SIGTERM") => end(signal),
    kill: async () => void (await end("SIGKILL")),
    signal: (name) => void child?.kill(name),
    events: records,
    waitForEvent,
    output: () => output,
    async destroy() {
      await end("SIGKILL");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function exitOf(child: ChildProcess): Promise<number> {
  if (child.exitCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once("exit", (code) => resolve(code ?? -1)));
}

async function endingByItself(child: ChildProcess, timeoutMs: number): Promise<Ended> {
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (text: string) => {
    stdout += text;
  });
  child.stderr?.on("data", (text: string) => {
    stderr += text;
  });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill("SIGKILL");
  }, timeoutMs);
  const exitCode = await new Promise<number>((resolve) => child.once("close", (code) => resolve(code ?? -1)));
  clearTimeout(timer);
  if (isLate) throw new Error(`it did not end within ${timeoutMs} ms:\n${stdout}${stderr}`);
  return { exitCode, stdout, stderr };
}

function publicKeyOf(privkeyHex: string): string {
  const curve = createECDH("secp256k1");
  curve.setPrivateKey(privkeyHex, "hex");
  return curve.getPublicKey("hex", "compressed");
}

function bound(key: string, quantity: { amount: number; unit: string } | undefined): string {
  return quantity ? `${key} = { amount = ${quantity.amount}, unit = "${quantity.unit}" }` : "";
}

type Identity = Pick<
  Operator,
  "databasePath" | "nsecHex" | "p2pk" | "p2pkPrivkeyHex" | "publicHost" | "dTag" | "serverKeys"
> & {
  port: number;
  host: string;
  origin: string;
};

function configText(operator: Identity, settings: OperatorSettings): string {
  const prices: NonNullable<OperatorSettings["prices"]> = settings.prices ?? [
    { amount: 10, unit: "hour" },
    { amount: 100, unit: "day" },
  ];
  const endpoint = settings.endpoint ?? { host: "127.0.0.1", port: 51820 };
  return `
[server]
host = "${operator.host}"
port = ${operator.port}
public_host = "${operator.publicHost}"

[db]
path = "${operator.databasePath}"

[wireguard]
interface = "${settings.interfaceName ?? "wg0"}"
endpoint_host = "${endpoint.host}"
endpoint_port = ${endpoint.port}
server_pubkey = "${operator.serverKeys.publicKey}"
subnet_cidr = "${settings.subnet ?? "10.66.42.0/24"}"
tick_seconds = ${settings.tickSeconds ?? 1}
${settings.subnet6 ? `subnet6 = "${settings.subnet6}"` : ""}
${rate(settings.rateMbit)}
${settings.enforcement ? `enforcement = "${settings.enforcement}"` : ""}
address_hold_seconds = ${settings.addressHoldSeconds ?? 300}

[cashu]
enabled = ${settings.cashuEnabled ?? true}
max_fee_sat = ${settings.maxFeeSat ?? 10}
p2pk_privkey_hex = "${operator.p2pkPrivkeyHex}"
settle_seconds = ${settings.settleSeconds ?? 2}
open_hold_seconds = ${settings.openHoldSeconds ?? 600}

${settings.lightning ? lightningText(settings.lightning) : ""}
[nostr]
relays = ${JSON.stringify(settings.relays)}
nsec = "${settings.nsec ?? operator.nsecHex}"

[listing]
d_tag = "${operator.dTag}"
title = "Tunnels for tests"
summary = "A day for a hundred"
content = "Nothing is logged."
protocols = ["wireguard"]
policies = ["no-logs"]
${bound("min_purchase", settings.minPurchase)}
${bound("max_purchase", settings.maxPurchase)}

[listing.region]
country = "US"
sub = "US-FL"
geohash = "dhvr5"

${prices.map((p) => `[[listing.prices]]\namount = ${p.amount}\ncurrency = "sat"\nunit = "${p.unit}"\n${rate(p.rateMbit)}`).join("\n")}
${settings.mints
  .map(
    (mint) =>
      `[[listing.payment_methods]]\ntype = "cashu"\nmint = "${mint}"\np2pk = "${settings.p2pk ?? operator.p2pk}"\nendpoint = "${operator.origin}/purchase"\n`,
  )
  .join("\n")}
${
  settings.lightning
    ? `[[listing.payment_methods]]\ntype = "lightning"\nendpoint = "${operator.origin}/lnurlp"\n`
    : ""
}
${settings.more ?? ""}`;
}

function rate(rateMbit: number | undefined): string {
  return rateMbit === undefined ? "" : `rate_mbit = ${rateMbit}\n`;
}

function lightningText(settings: LightningSettings): string {
  const keys = {
    enabled: true,
    backend: settings.backend,
    base_url: settings.baseUrl,
    api_token: settings.apiToken,
    cert_file: settings.certFile,
    stub_sells: settings.stubSells,
    invoice_seconds: settings.invoiceSeconds,
    invoice_grace_seconds: settings.invoiceGraceSeconds,
    success_action: settings.successAction,
  };
  const lines = Object.entries(keys).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key} = ${JSON.stringify(value)}`],
  );
  return `[lightning]\n${lines.join("\n")}\n`;
}
