import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pino } from "pino";
import { createFacts } from "../../db/facts.ts";
import { openBook } from "../../db/open-book.ts";
import { createAddressPool } from "../../tunnels/address-pool.ts";
import { createClockGuard } from "../../tunnels/clock-guard.ts";
import { createKeeper } from "../../tunnels/keeper.ts";
import { createLimitKeeper } from "../../tunnels/limit-keeper.ts";
import { createSessionStore } from "../../tunnels/session-store.ts";
import { parseSubnet } from "../../tunnels/subnet.ts";
import { createKernelEnforcement } from "../../wireguard/kernel.ts";
import { createNftLimits } from "../../wireguard/nft-limits.ts";
import { createTunnelWorld, type TunnelWorld } from "../namespaces.ts";
import { firstPurchase, newKey } from "../session-book.ts";
import { makeTempDir } from "../temp-dir.ts";
import { tunnelsMissing } from "../tunnel-market.ts";
import { generateWireguardKeys } from "../wireguard-keys.ts";
import { aYear, fillBook, WIDE_SUBNET } from "./fill-book.ts";
import { type Lane, type Measurement, measurement } from "./measurement.ts";
import { median, tookMs } from "./statistics.ts";

const SESSIONS = 10_000;
const ENDING = 1_000;
const ROUNDS = 5;
const GRANTS_AT_ONCE = 8;
const MAX_FLOWS = 4096;
const SOON_SECONDS = 3_600;
const HOLD_SECONDS = 300;

const figures = [
  "cold reconcile of 10,000 peers",
  "idle tick with 10,000 peers",
  "grant among 10,000 peers",
  "8 grants at once among 10,000 peers",
  "1,000 of 10,000 sessions end at once",
] as const;

/** The book and the interface as the daemon keeps them, in this process, against `wg` alone doing the same. */
export const interfaceKeeping: Lane = {
  name: "interface",
  missing: () => tunnelsMissing(false),
  figures,
  async *run() {
    const world = await createTunnelWorld({
      serverPrivateKey: generateWireguardKeys().privateKey,
      subnetCidr: WIDE_SUBNET,
      tag: "bench",
    });
    const folder = await makeTempDir();
    try {
      yield* measureKeeping(world, folder.path);
    } finally {
      await world.destroy();
      await folder.remove();
    }
  },
};

type Keeping = ReturnType<typeof keepingAt>;

async function* measureKeeping(world: TunnelWorld, folder: string): AsyncGenerator<Measurement> {
  const path = join(folder, "data", "sessions.db");
  fillBook(path, SESSIONS, (index) => (index < ENDING ? { seconds: SOON_SECONDS, bytes: 0 } : aYear));
  const keeping = keepingAt(path, world);
  try {
    yield await coldReconcile(world, keeping, folder);
    yield await idleTick(world, keeping);
    yield* await grants(world, keeping);
    yield await expiry(world, keeping);
  } finally {
    keeping.close();
  }
}

function wgAlone(world: TunnelWorld, action: string, ...args: string[]): Promise<number> {
  return tookMs(() => world.exec("operator", ["wg", action, world.interfaceName, ...args]));
}

async function coldReconcile(
  world: TunnelWorld,
  { keeper, store }: Keeping,
  folder: string,
): Promise<Measurement> {
  const conf = join(folder, "peers.conf");
  const peers = store
    .desiredPeers()
    .map(
      ({ publicKey, addresses }) =>
        `[Peer]\nPublicKey = ${publicKey}\nAllowedIPs = ${addresses.join(", ")}\n`,
    );
  await writeFile(conf, peers.join("\n"), { mode: 0o600 });
  // Not `setconf`, which would take the interface's key and port away.
  const alone = await wgAlone(world, "addconf", conf);
  await world.tearDownWg0();
  await world.bringUpWg0();
  return against(figures[0], await tookMs(() => keeper.tick()), alone, 2);
}

async function idleTick(world: TunnelWorld, { keeper }: Keeping): Promise<Measurement> {
  // After the cold one every peer is news once.
  await keeper.tick();
  const dumps: number[] = [];
  const ticks: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    dumps.push(await wgAlone(world, "show", "dump"));
    ticks.push(await tookMs(() => keeper.tick()));
  }
  return against(figures[1], median(ticks), median(dumps), 1.5);
}

async function grants(world: TunnelWorld, { keeper, store, clock }: Keeping): Promise<Measurement[]> {
  const grant = async () => {
    const sessionId = store.reserve(newKey(), firstPurchase, clock.now());
    if (sessionId === undefined) throw new Error("the pool is empty");
    await keeper.admit(sessionId, aYear, (now) => store.grant(sessionId, aYear, now));
  };
  const alone: number[] = [];
  const granted: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    alone.push(await wgAlone(world, "set", "peer", newKey(), "allowed-ips", `10.99.0.${round + 1}/32`));
    granted.push(await tookMs(grant));
  }
  const together = await tookMs(() => Promise.all(Array.from({ length: GRANTS_AT_ONCE }, grant)));
  return [against(figures[2], median(granted), median(alone)), against(figures[3], together, median(alone))];
}

/** Against `wg` taking as many others off. */
async function expiry(world: TunnelWorld, { keeper, store, clock }: Keeping): Promise<Measurement> {
  clock.ahead(2 * SOON_SECONDS);
  const ended = await tookMs(() => keeper.expire());
  const others = store.live().slice(0, ENDING);
  const removals = others.flatMap(({ publicKey }) => ["peer", publicKey, "remove"]);
  return against(figures[4], ended, await wgAlone(world, "set", ...removals));
}

function against(name: string, value: number, otherMs: number, atMost?: number): Measurement {
  const target = atMost === undefined ? undefined : ({ of: "ratio", atMost } as const);
  return measurement(name, { value, unit: "ms", ratio: value / otherMs }, target);
}

function keepingAt(path: string, world: TunnelWorld) {
  const book = openBook(path);
  let aheadSeconds = 0;
  const nowMs = () => Date.now() + aheadSeconds * 1000;
  const clock = {
    now: () => Math.floor(nowMs() / 1000),
    ahead(seconds: number) {
      aheadSeconds += seconds;
    },
  };
  const guard = createClockGuard(createFacts(book), clock, nowMs, false);
  const pool = createAddressPool(book, parseSubnet(WIDE_SUBNET));
  const store = createSessionStore(book, pool, HOLD_SECONDS);
  const enforcement = createKernelEnforcement({
    interfaceName: world.interfaceName,
    serverPubkey: world.serverPublicKey,
    subnetCidr: WIDE_SUBNET,
    commandPrefix: world.commandPrefix("operator"),
  });
  const logger = pino({ level: "silent" });
  const limits = createNftLimits({
    interfaceName: world.interfaceName,
    maxFlows: MAX_FLOWS,
    commandPrefix: world.commandPrefix("operator"),
  });
  const keeper = createKeeper({
    store,
    pool,
    enforcement,
    limits: createLimitKeeper(limits, logger),
    guard,
    wallMs: nowMs,
    exclusive: false,
    logger,
    onChange: () => {},
  });
  return { keeper, store, clock, close: () => book.close() };
}
