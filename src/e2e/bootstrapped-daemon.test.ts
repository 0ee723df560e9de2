import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { decode } from "nostr-tools/nip19";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type BootstrapFolder, makeBootstrapFolder, npubOf, pointOf } from "../testing/bootstrap.ts";
import { createBuyer, findListings } from "../testing/buyer.ts";
import { mintToken } from "../testing/ecash.ts";
import { eventually } from "../testing/eventually.ts";
import { freePort } from "../testing/free-port.ts";
import { startMint, type TestMint } from "../testing/mint.ts";
import { startRelay, type TestRelay } from "../testing/relay.ts";
import { toolsMissing } from "../testing/tools.ts";

const missing = toolsMissing(["wg", "openssl"], Boolean(process.env.CI));
const TITLE = 'Tunnels "from" $(here) \\ `there` 😀';

let folder: BootstrapFolder;
let relay: TestRelay;
let mint: TestMint;
let daemon: ChildProcess | undefined;

beforeEach(async () => {
  folder = await makeBootstrapFolder();
  relay = await startRelay();
  mint = await startMint();
});

afterEach(async () => {
  if (daemon?.exitCode === null && daemon.kill("SIGKILL")) await once(daemon, "exit");
  await mint.stop();
  await relay.stop();
  await folder.remove();
});

it.skipIf(missing)(
  `a bootstrapped folder is all that a first sale needs${missing ? ` (skipped: ${missing})` : ""}`,
  async () => {
    const port = await freePort();
    const publicHost = `127.0.0.1:${port}`;
    const env = { PUBLIC_HOST: publicHost, TITLE, MINTS: mint.url, RELAYS: relay.url, REGION: "US-FL" };
    const { stdout } = await folder.run({ env });
    folder.put(
      "config/config.toml",
      folder.read("config/config.toml").replace("port = 8080", `port = ${port}`),
    );

    const output = startDaemon();
    await eventually(() => output().includes('"event":"listing-published"'), 30_000);

    const pubkey = String(decode(/npub1\w+/.exec(stdout)?.[0] ?? "").data);
    const p2pk = pointOf(folder.read("secrets/p2pk"));
    const info = await (await fetch(`http://${publicHost}/info`)).json();
    expect(info).toMatchObject({ pubkey, title: TITLE, mints: [mint.url], region: { sub: "US-FL" } });
    const [found] = await findListings(relay.url);
    expect(found).toMatchObject({ operatorPubkey: pubkey, listing: { title: TITLE } });
    expect(stdout).toContain(npubOf(folder.read("secrets/nsec")));

    const { token } = await mintToken({ mintUrl: mint.url, amountSat: 100, lock: { pubkey: p2pk } });
    const answer = await createBuyer().purchase({
      url: `http://${publicHost}`,
      publicHost,
      operatorPubkey: pubkey,
      dTag: "my-vpn-1",
      price: { amount: 100, currency: "sat", unit: "hour" },
      token,
    });
    expect(answer.status).toBe(200);
    expect(answer.body.config).toContain(`PublicKey = ${folder.read("secrets/wg-server.pub").trim()}`);
    expect(folder.modes()).toMatchObject({ data: "700", "data/sessions.db": "600" });
  },
  90_000,
);

/** Returns what it has printed so far. */
function startDaemon(): () => string {
  let printed = "";
  daemon = spawn(process.execPath, [join(import.meta.dirname, "../../dist/index.cjs")], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env.PATH,
      EUROPA_NODE_CONFIG: join(folder.path, "config/config.toml"),
      EUROPA_OPERATOR_WIREGUARD_MODE: "in-memory",
    },
  });
  for (const stream of [daemon.stdout, daemon.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
    });
  }
  return () => printed;
}
