import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Buyer,
  type CrashPoint,
  createWorld,
  DAY,
  HOLD_SECONDS,
  imbalances,
  reasonOf,
  type World,
} from "../../testing/sales-world.ts";

type Action =
  | { do: "ask"; buyer: number; days: number }
  | { do: "rush"; days: number }
  | { do: "pay"; invoice: number; extraMsat: number; feeMsat: number }
  | { do: "pay late"; invoice: number }
  | { do: "claim"; invoice: number }
  | { do: "buy"; buyer: number }
  | { do: "poll" }
  | { do: "crash"; point: CrashPoint }
  | { do: "restart" }
  | { do: "Lightning"; on: boolean }
  | { do: "node"; silent: boolean; streamQuiet: boolean; cancels: boolean }
  | { do: "break streams" }
  | { do: "repeat" }
  | { do: "foreign" }
  | { do: "interface"; up: boolean }
  | { do: "clock"; aheadSeconds: number }
  | { do: "pass"; seconds: number };

const BUYERS = 6;
const TENANTS_DAYS = 3_000;

const points = (
  ["open", "invoiced", "lapse", "paid", "forget", "attachSession", "granted", "owed"] as const
).flatMap((verb) => (["before", "after"] as const).map((when): CrashPoint => ({ verb, when })));

const one = <Name extends Action["do"]>(name: Name) => fc.constant(name);
const weighted = (weight: number, arbitrary: fc.Arbitrary<Action>) => ({ weight, arbitrary });

const action: fc.Arbitrary<Action> = fc.oneof(
  weighted(8, fc.record({ do: one("ask"), buyer: fc.nat(BUYERS - 1), days: fc.constantFrom(1, 2) })),
  weighted(2, fc.record({ do: one("rush"), days: fc.constantFrom(1, 2) })),
  weighted(
    7,
    fc.record({
      do: one("pay"),
      invoice: fc.nat(20),
      extraMsat: fc.constantFrom(0, 0, 0, 1, 50_000, 900_000, -40_000),
      feeMsat: fc.constantFrom(0, 0, 40_000),
    }),
  ),
  weighted(1, fc.record({ do: one("pay late"), invoice: fc.nat(20) })),
  weighted(3, fc.record({ do: one("claim"), invoice: fc.nat(20) })),
  weighted(3, fc.record({ do: one("buy"), buyer: fc.nat(BUYERS - 1) })),
  weighted(3, fc.record({ do: one("poll") })),
  weighted(4, fc.record({ do: one("crash"), point: fc.constantFrom(...points) })),
  weighted(2, fc.record({ do: one("restart") })),
  weighted(2, fc.record({ do: one("Lightning"), on: fc.boolean() })),
  weighted(
    2,
    fc.record({ do: one("node"), silent: fc.boolean(), streamQuiet: fc.boolean(), cancels: fc.boolean() }),
  ),
  weighted(1, fc.record({ do: one("break streams") })),
  weighted(1, fc.record({ do: one("repeat") })),
  weighted(1, fc.record({ do: one("foreign") })),
  weighted(2, fc.record({ do: one("interface"), up: fc.boolean() })),
  weighted(1, fc.record({ do: one("clock"), aheadSeconds: fc.constantFrom(-1_900, 0, 1_900) })),
  // In all less than the week after which a lapsed invoice is forgotten.
  weighted(
    5,
    fc.record({ do: one("pass"), seconds: fc.constantFrom(0, 2, 11, 301, 601, 721, 3_600, 20_000) }),
  ),
);

interface HandedOut {
  paymentHash: string;
  preimage: string;
  isPaid: boolean;
}

interface Play {
  world: World;
  buyers: Buyer[];
  invoices: HandedOut[];
  isOn: boolean;
  aheadSeconds: number;
}

/** What a start does, in its order. */
async function start(play: Play): Promise<void> {
  const { world } = play;
  await world.restart();
  await world.run.settlement.sweep().catch(() => undefined);
  if (!play.isOn) return;
  await world.run.watch.refresh();
  await world.run.payments.recover().catch(() => undefined);
  void world.run.payments.follow(world.run.following.signal);
}

async function ask(play: Play, buyer: Buyer, days: number): Promise<void> {
  if (!play.isOn) return;
  const odd = { amount: `${days}00000`, client: buyer.publicKey };
  const made = await play.world.invoice(buyer, odd).catch(() => undefined);
  if (!made || play.invoices.some(({ paymentHash }) => paymentHash === made.paymentHash)) return;
  play.invoices.push({ ...made, isPaid: false });
}

/** Between two steps the jobs of a daemon run on. */
async function rest({ world, isOn }: Play): Promise<void> {
  await world.run.keeper.tick().catch(() => undefined);
  world.run.guard.remember();
  await world.run.settlement.sweep().catch(() => undefined);
  if (isOn) await world.run.watch.refresh();
  else world.run.lapseUnasked();
  await world.run.settlement.idle();
}

async function step(play: Play, action: Action): Promise<void> {
  const { world, buyers, invoices } = play;
  const open = invoices.filter(({ paymentHash }) => world.node.isOpen(paymentHash));
  const among = action.do === "pay" ? open : invoices;
  const chosen = "invoice" in action ? among[action.invoice % Math.max(1, among.length)] : undefined;
  switch (action.do) {
    case "ask":
      return ask(play, buyers[action.buyer] as Buyer, action.days);
    case "rush":
      await Promise.all(buyers.map((buyer) => ask(play, buyer, action.days)));
      return;
    case "pay":
      if (!chosen) return;
      chosen.isPaid = true;
      world.node.settle(chosen.paymentHash, {
        receivedMsat: 100_000 + action.extraMsat,
        feeMsat: action.feeMsat,
      });
      return;
    case "pay late":
      if (!chosen || chosen.isPaid || world.node.isCancelled(chosen.paymentHash)) return;
      chosen.isPaid = true;
      world.node.settle(chosen.paymentHash, {}, true);
      return;
    case "claim":
      if (!chosen || !play.isOn) return;
      await world.run.lnurl.verify(chosen.paymentHash).catch(() => undefined);
      await world.run.lnurl.config(chosen.paymentHash, chosen.preimage).catch(() => undefined);
      return;
    case "buy":
      await world.buy(buyers[action.buyer] as Buyer, world.mint.issue([100])).catch(() => undefined);
      return;
    case "poll":
      if (play.isOn) await world.run.payments.poll().catch(() => undefined);
      return;
    case "crash":
      world.crashAt(action.point);
      return;
    case "restart":
      return start(play);
    case "Lightning":
      if (play.isOn === action.on) return;
      play.isOn = action.on;
      return start(play);
    case "node": {
      const { silent, streamQuiet, cancels } = action;
      Object.assign(world.node.habits, { silent, streamQuiet, cancels });
      return;
    }
    case "break streams":
      return world.node.breakStreams();
    case "repeat":
      return world.node.repeatBackwards();
    case "foreign":
      return world.node.settleForeign();
    case "interface":
      return action.up ? world.wireguard.bringUp() : world.wireguard.takeDown();
    case "clock":
      world.time.seconds += action.aheadSeconds - play.aheadSeconds;
      play.aheadSeconds = action.aheadSeconds;
      return;
    case "pass":
      return world.pass(action.seconds);
  }
}

/** Node, interface and clock are well again, Lightning is on, and two hours go by. */
async function heal(play: Play): Promise<void> {
  const { world } = play;
  Object.assign(world.node.habits, { silent: false, streamQuiet: false });
  world.wireguard.bringUp();
  await step(play, { do: "clock", aheadSeconds: 0 });
  play.isOn = true;
  await start(play);
  for (let round = 0; round < 12; round++) {
    world.pass(601);
    await rest(play);
    await world.run.payments.poll();
  }
  await rest(play);
}

interface Sale {
  sale_id: string;
  state: string;
  method: string;
  key_hash: string;
  payment_hash: string | null;
  requested_msat: number | null;
  session_id: string | null;
  bought_seconds: number;
  paid_at: number;
  granted_at: number;
}

const salesOf = (world: World) =>
  world.all<Sale>(
    "SELECT * FROM sales LEFT JOIN invoices USING (sale_id) ORDER BY granted_at, paid_at, created_at, sales.rowid",
  );

/** What reached the node is in the book, payment by payment, for what it buys, and nothing else is. */
function checkMoney({ world, invoices }: Play): void {
  const sales = salesOf(world).filter(({ method }) => method === "lightning");
  const paid = sales.filter(({ state }) => state === "granted" || state === "owed");
  expect(sales.filter((sale) => !paid.includes(sale) && sale.state !== "lapsed")).toEqual([]);
  const ours = world.node.payments().filter(({ reference }) => reference !== "somebody else's");
  expect(ours.map((payment) => payment.paymentHash).sort()).toEqual(
    invoices.flatMap(({ isPaid, paymentHash }) => (isPaid ? [paymentHash] : [])).sort(),
  );
  expect(paid.map((sale) => sale.payment_hash).sort()).toEqual(ours.map((p) => p.paymentHash).sort());
  for (const { paymentHash, receivedMsat, feeMsat } of ours) {
    const sale = paid.find((other) => other.payment_hash === paymentHash);
    const worthMsat = Math.max(sale?.requested_msat ?? 0, receivedMsat + feeMsat);
    expect(sale?.bought_seconds).toBe(Number((BigInt(worthMsat) * BigInt(DAY)) / 100_000n));
  }
  expect(world.node.violations).toEqual([]);
  expect(imbalances(world)).toEqual([]);
}

/** Granted time is bought time, and the interface has those whose time runs, each at an address of his own. */
async function checkTunnels({ world }: Play): Promise<void> {
  const granted = salesOf(world).filter(({ state }) => state === "granted");
  for (const { session_id, expires_at } of world.all<{ session_id: string; expires_at: number | null }>(
    "SELECT * FROM sessions WHERE status <> 'pending'",
  )) {
    const ends = granted
      .filter((sale) => sale.session_id === session_id)
      .reduce((end, sale) => Math.max(end, sale.granted_at) + sale.bought_seconds, 0);
    expect(expires_at).toBe(ends);
  }
  const live = world.all<{ client_identity: string; assigned_ip: string }>(
    "SELECT * FROM sessions WHERE status = 'active'",
  );
  const { peers } = await world.wireguard.look();
  const onInterface = peers.map((peer) => [peer.publicKey, ...peer.allowedIps].join()).sort();
  expect(onInterface).toEqual(live.map((s) => `${s.client_identity},${s.assigned_ip}/32`).sort());
  expect(new Set(live.map((s) => s.assigned_ip)).size).toBe(live.length);
  expect(new Set(live.map((s) => s.client_identity)).size).toBe(live.length);
}

/** Nobody waits while there is an address; and all who wait are served in the order in which they paid. */
async function checkLine(play: Play): Promise<void> {
  const { world } = play;
  const inLine = () => salesOf(world).filter(({ state }) => state === "owed");
  const waiting = inLine();
  if (waiting.length > 0) expect(world.run.pool.countFree(world.time.seconds, 1)).toBe(0);
  for (let round = 0; inLine().length > 0; round++) {
    expect(round).toBeLessThan(100);
    for (const seconds of [DAY / 2, HOLD_SECONDS]) {
      world.pass(seconds);
      await rest(play);
    }
  }
  const firstOfKey = new Map([...waiting].reverse().map((sale) => [sale.key_hash, sale.sale_id]));
  const first = waiting.filter((sale) => firstOfKey.get(sale.key_hash) === sale.sale_id);
  const grantedAt = new Map(salesOf(world).map((sale) => [sale.sale_id, sale.granted_at]));
  const times = first.map((sale) => grantedAt.get(sale.sale_id) ?? Number.NaN);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect(world.all("SELECT 1 FROM sessions WHERE status = 'pending'")).toEqual([]);
}

/** Who has paid gets his .conf, or is told that his tunnel is over. */
async function checkClaims({ world, invoices }: Play): Promise<void> {
  for (const { paymentHash, preimage, isPaid } of invoices) {
    if (!isPaid) continue;
    expect(["served", "double-spent"]).toContain(
      await reasonOf(world.run.lnurl.config(paymentHash, preimage)),
    );
    expect(await world.run.lnurl.verify(paymentHash)).toMatchObject({ settled: true, preimage });
  }
}

describe("any run of invoices, payments, purchases, faults, crashes and waits", () => {
  it("ends with a tunnel for each payment, once, in order, for as long as it paid", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(action, { minLength: 8, maxLength: 30, size: "max" }),
        fc.integer({ min: 1, max: 5 }),
        fc.boolean(),
        async (actions, poolSize, choosesPreimage) => {
          const world = await createWorld({ subnet: "10.9.0.0/29" });
          try {
            world.node.habits.choosesPreimage = choosesPreimage;
            for (let tenant = poolSize; tenant < 5; tenant++) {
              await world.buy(world.buyer(), world.mint.issue([TENANTS_DAYS * 100]));
            }
            const buyers = Array.from({ length: BUYERS }, () => world.buyer());
            const play: Play = { world, buyers, invoices: [], isOn: true, aheadSeconds: 0 };
            void world.run.payments.follow(world.run.following.signal);
            for (const action of actions) {
              await step(play, action);
              if (!world.isDead()) await rest(play).catch(() => undefined);
              if (world.isDead()) await start(play);
            }
            await heal(play);
            checkMoney(play);
            await checkTunnels(play);
            await checkLine(play);
            await checkTunnels(play);
            await checkClaims(play);
          } finally {
            await world.close();
          }
        },
      ),
      { numRuns: 25, interruptAfterTimeLimit: 20_000 },
    );
  }, 120_000);
});
