import { dirname } from "node:path";
import { type OwnedNode, startOwnedNode } from "../lightning/owned-node.ts";
import { createOperator, type Operator } from "../operator.ts";
import { startRelay, type TestRelay } from "../relay.ts";
import { type FaultyWay, startFaultyWay } from "./faulty-way.ts";
import { type ChaosMint, startMintProcess } from "./mint-child.ts";
import { createPace, type Pace } from "./pace.ts";
import type { RelayPlan } from "./plan-faults.ts";
import { type NodePlan, planNode } from "./plan-node.ts";
import { createRandom } from "./random.ts";
import { createSlowClock } from "./slow-clock.ts";
import { MAX_PURCHASE, TIERS } from "./tiers.ts";

/** An operator between a mint, a Lightning node and two relays, all of which can fail him. */
export interface ChaosMarket {
  mint: ChaosMint;
  way: FaultyWay;
  node: OwnedNode;
  nodePlan: NodePlan;
  relays: [TestRelay, TestRelay];
  operator: Operator;
  pace: Pace;
  /** How many tunnels fit in the operator's subnet. */
  room(): number;
  /** Twice the subnet, from the next start on. */
  widen(): void;
  setRelays(plans: readonly [RelayPlan, RelayPlan]): Promise<void>;
  close(keepFolder: boolean): Promise<void>;
}

const SETTLE_SECONDS = 1;
const OPEN_HOLD_SECONDS = 2;
/** 13 to 61 tunnels: the pool is empty now and then, so that sales lose their address and wait for another. */
const FIRST_PREFIXES = [28, 27, 26] as const;
const WIDEST_PREFIX = 16;

/** `mintUrl`: a mint that runs already; else one of our own, of a kind that the seed chooses. */
export async function openMarket(seed: number, mintUrl: string | undefined): Promise<ChaosMarket> {
  const random = createRandom(seed, "market");
  let prefix: number = random.pick(FIRST_PREFIXES);
  const mint =
    mintUrl === undefined
      ? await startMintProcess(random.pick([0, 100]), random.pick(["v1", "v2"]), random.chance(0.5))
      : { url: mintUrl, ours: undefined, stop: async () => {} };
  const way = await startFaultyWay(mint.url);
  const pace = createPace();
  const nodePlan = planNode(seed);
  const node = await startOwnedNode(
    nodePlan.kind,
    createSlowClock(() => pace.stretched(nodePlan.clockSlowness)),
  );
  const relays: [TestRelay, TestRelay] = [await startRelay(), await startRelay()];
  const operator = await createOperator({
    relays: relays.map(({ url }) => url),
    mints: [way.url],
    prices: TIERS,
    maxPurchase: MAX_PURCHASE,
    settleSeconds: SETTLE_SECONDS,
    tickSeconds: 1,
    openHoldSeconds: OPEN_HOLD_SECONDS,
    subnet: subnet(prefix),
  });
  const { invoiceSeconds, graceSeconds: invoiceGraceSeconds } = nodePlan;
  operator.writeConfig({
    lightning: { ...node.settings(dirname(operator.configPath)), invoiceSeconds, invoiceGraceSeconds },
  });

  async function setRelay(relay: TestRelay, plan: RelayPlan, refusal: string): Promise<void> {
    relay.mute = plan === "mute";
    relay.policy = () => (plan === "hangs" ? "hang" : plan === "refuses" ? { refuse: refusal } : "accept");
    await (plan === "down" || plan === "away" ? relay.stop() : relay.start());
  }

  return {
    mint,
    way,
    node,
    nodePlan,
    relays,
    operator,
    pace,
    room: () => 2 ** (32 - prefix) - 3,
    widen() {
      prefix = Math.max(WIDEST_PREFIX, prefix - 1);
      operator.writeConfig({ subnet: subnet(prefix) });
    },
    async setRelays([first, second]) {
      // Only one of them ever refuses for good: what both refused would never leave the disk.
      await setRelay(relays[0], first, "rate-limited: slow down");
      await setRelay(relays[1], second, "blocked: not here");
    },
    async close(keepFolder) {
      if (!keepFolder) await operator.destroy();
      await way.close();
      for (const relay of relays) await relay.stop();
      await node.close();
      await mint.stop();
    },
  };
}

function subnet(prefix: number): string {
  return `10.66.0.0/${prefix}`;
}
