import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RestoreFault, SwapFault } from "../testing/fake-mint-port.ts";
import {
  type BookedSale,
  type Buyer,
  type CrashPoint,
  createWorld,
  imbalances,
  reasonOf,
  type World,
} from "../testing/sales-world.ts";

type Action =
  | { do: "buy"; buyer: number; amountsSat: number[] }
  | { do: "repeat"; token: number }
  | { do: "steal"; token: number }
  | { do: "burst"; buyer: number; amountsSat: number[] }
  | { do: "swap fault"; fault: SwapFault }
  | { do: "restore fault"; fault: RestoreFault }
  | { do: "state fault" }
  | { do: "crash"; point: CrashPoint }
  | { do: "restart" }
  | { do: "spend elsewhere"; token: number }
  | { do: "mint"; silent: boolean }
  | { do: "interface"; up: boolean }
  | { do: "keyset" }
  | { do: "fee"; feeSat: number }
  | { do: "land late" }
  | { do: "pass"; seconds: number };

const amountsSat = fc.array(fc.constantFrom(50, 64, 100, 128), { minLength: 2, maxLength: 3 });
const index = fc.nat(7);

const swapFaults: SwapFault[] = [
  "acts-then-silence",
  "silence",
  "lands-late",
  "flawed",
  "flawed-answer",
  "pending",
  "caller-dies-before",
  "caller-dies-after",
  { refused: 11001 },
  { refused: 10000 },
  { refused: 12002 },
];

const points = (
  ["open", "paid", "attachSession", "granted", "released", "newAttempt", "owed"] as const
).flatMap((verb) => (["before", "after"] as const).map((when): CrashPoint => ({ verb, when })));

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant("buy" as const), buyer: fc.nat(3), amountsSat }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("repeat" as const), token: index }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("steal" as const), token: index }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("burst" as const), buyer: fc.nat(3), amountsSat }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant("swap fault" as const), fault: fc.constantFrom(...swapFaults) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("restore fault" as const),
      fault: fc.constantFrom<RestoreFault[]>("silence", "empty", "part"),
    }),
  },
  { weight: 1, arbitrary: fc.constant<Action>({ do: "state fault" }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("crash" as const), point: fc.constantFrom(...points) }),
  },
  { weight: 2, arbitrary: fc.constant<Action>({ do: "restart" }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("spend elsewhere" as const), token: index }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("mint" as const), silent: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("interface" as const), up: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant<Action>({ do: "keyset" }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("fee" as const), feeSat: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.constant<Action>({ do: "land late" }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("pass" as const),
      seconds: fc.constantFrom(0, 2, 31, 61, 301, 3_600, 50_000, 90_000),
    }),
  },
);

const RUNS = 25;

interface Tried {
  buyer: Buyer;
  token: string;
  spentElsewhere: boolean;
}

function isUnspent(world: World, token: string): boolean {
  return world.mint.statesOf(token).every((state) => state === "UNSPENT");
}

function claimOf(world: World, token: string) {
  const { mintKey, ys } = world.mint.reader.decode(token);
  return world.run.sales.findClaim(mintKey, ys);
}

async function play(world: World, buyers: Buyer[], tried: Tried[], step: Action): Promise<void> {
  const ask = (buyer: Buyer, token: string) => world.buy(buyer, token).catch(() => undefined);
  const chosen = "token" in step ? tried[step.token % Math.max(1, tried.length)] : undefined;
  switch (step.do) {
    case "buy":
    case "burst": {
      const buyer = buyers[step.buyer] as Buyer;
      const token = world.mint.issue(step.amountsSat);
      tried.push({ buyer, token, spentElsewhere: false });
      await Promise.all(Array.from({ length: step.do === "burst" ? 5 : 1 }, () => ask(buyer, token)));
      break;
    }
    case "repeat":
      if (chosen) await ask(chosen.buyer, chosen.token);
      break;
    case "steal":
      if (chosen && claimOf(world, chosen.token).kind === "same") {
        expect(await reasonOf(world.buy(world.buyer(), chosen.token))).toBe("double-spent");
      }
      break;
    case "swap fault":
      world.mint.script("swap", step.fault);
      break;
    case "restore fault":
      world.mint.script("restore", step.fault);
      break;
    case "state fault":
      world.mint.script("inputState", "silence");
      break;
    case "crash":
      world.crashAt(step.point);
      break;
    case "restart":
      await world.restart();
      break;
    case "spend elsewhere":
      if (chosen && isUnspent(world, chosen.token)) {
        chosen.spentElsewhere = true;
        world.mint.spend(chosen.token);
      }
      break;
    case "mint":
      world.mint.setSilent(step.silent);
      break;
    case "interface":
      if (step.up) world.wireguard.bringUp();
      else world.wireguard.takeDown();
      break;
    case "keyset":
      world.mint.rotateKeyset();
      break;
    case "fee":
      world.mint.setFeeSat(step.feeSat);
      break;
    case "land late":
      world.mint.landLate();
      break;
    case "pass":
      world.pass(step.seconds);
      await world.run.keeper.tick();
      await world.run.settlement.sweep().catch(() => undefined);
      break;
  }
  if (world.isDead()) await world.restart();
}

/** The mint is well again, the interface up, the process alive: an hour of sweeps. */
async function heal(world: World): Promise<void> {
  world.mint.heal();
  world.wireguard.bringUp();
  await world.restart();
  world.mint.heal();
  for (let round = 0; round < 8; round++) await world.sweep(61);
}

interface SessionRow {
  session_id: string;
  expires_at: number;
}

async function checkEnd(world: World, tried: Tried[]): Promise<void> {
  const sales = world.all<BookedSale & { granted_at: number }>(
    "SELECT * FROM sales ORDER BY granted_at, rowid",
  );
  const granted = sales.filter((sale) => sale.state === "granted");
  // Every sale is at rest.
  expect(sales.filter(({ state }) => state !== "granted" && state !== "released")).toEqual([]);
  expect(imbalances(world)).toEqual([]);
  // What the mint signed is in the book, proof by proof.
  const [{ sat = 0 } = {}] = world.all<{ sat: number }>(
    "SELECT coalesce(sum(amount_sat), 0) AS sat FROM proofs",
  );
  expect(sat).toBe(world.mint.signedSat());
  // A token is granted and spent, or neither.
  for (const { token, spentElsewhere } of tried) {
    const claim = claimOf(world, token);
    const isGranted = claim.kind === "same" && claim.sale.state === "granted";
    if (spentElsewhere) expect(isGranted).toBe(false);
    else expect(isUnspent(world, token)).toBe(!isGranted);
  }
  const faceSat = (list: { face_sat: number }[]) => list.reduce((sum, { face_sat }) => sum + face_sat, 0);
  const spent = tried.filter(({ token, spentElsewhere }) => !spentElsewhere && !isUnspent(world, token));
  expect(faceSat(granted)).toBe(
    faceSat(spent.map(({ token }) => ({ face_sat: world.mint.reader.decode(token).faceSat }))),
  );
  // Granted time is bought time.
  for (const session of world.all<SessionRow>("SELECT * FROM sessions")) {
    const ends = granted
      .filter((sale) => sale.session_id === session.session_id)
      .reduce((end, sale) => Math.max(end, sale.granted_at) + sale.bought_seconds, 0);
    expect(session.expires_at).toBe(ends);
  }
  // The interface has those whose time runs, and nobody else.
  const live = world.all<{ client_identity: string }>("SELECT * FROM sessions WHERE status = 'active'");
  expect((await world.peerKeys()).sort()).toEqual(live.map((row) => row.client_identity).sort());
  // Who keeps repeating has a .conf, a tunnel that is over, or his token.
  for (const { buyer, token, spentElsewhere } of tried) {
    const outcome = await reasonOf(world.buy(buyer, token));
    if (outcome === "served") expect(spentElsewhere).toBe(false);
    else if (claimOf(world, token).kind === "same") expect(outcome).toBe("double-spent");
    else expect(spentElsewhere || isUnspent(world, token)).toBe(true);
  }
}

describe("any run of purchases, repeats, faults, crashes and waits", () => {
  it("ends with every sale at rest, no sat lost, no tunnel granted twice", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 4, maxLength: 30, size: "max" }), async (steps) => {
        const world = await createWorld({ subnet: "10.9.0.0/29", answerWithinMs: 25 });
        try {
          const buyers = Array.from({ length: 4 }, () => world.buyer());
          const tried: Tried[] = [];
          for (const step of steps) await play(world, buyers, tried, step);
          world.settings.answerWithinMs = 5_000;
          await heal(world);
          await checkEnd(world, tried);
        } finally {
          await world.close();
        }
      }),
      { numRuns: RUNS, interruptAfterTimeLimit: 15_000 },
    );
  }, 120_000);
});
