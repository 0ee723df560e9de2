import pino from "pino";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { ControlVerb } from "../control/server.ts";
import { createWorld, DAY, type World } from "../testing/sales-world.ts";
import { serveSessions } from "./sessions-desk.ts";

let world: World;
const verbs = new Map<string, ControlVerb>();
const ask = (verb: string, asked: unknown) => verbs.get(verb)?.(asked);

beforeEach(async () => {
  world = await createWorld({ subnet: "10.9.0.0/30" });
  const control = { serve: (verb: string, answer: ControlVerb) => void verbs.set(verb, answer) };
  serveSessions(
    { logger: pino({ level: "silent" }) },
    { ...world.run, control },
    { keeper: world.run.keeper, enforcement: world.wireguard },
  );
});
afterEach(() => world.close());

it("a revocation under a clock that ran ahead takes effect, and holds the address no longer than any", async () => {
  await world.buy(world.buyer(), world.mint.issue([100]));
  world.time.seconds += 365 * DAY;
  expect(await ask("sessions-revoke", { which: "10.9.0.2", reason: "a report" })).toMatchObject({
    session: { status: "revoked" },
    peerOff: true,
  });
  world.time.seconds -= 365 * DAY;
  await world.sweep(1);
  await world.sweep(301);
  await world.buy(world.buyer(), world.mint.issue([100]));
});

it("what no command would ask for is refused: more than an extension may come to, or no reason", async () => {
  await world.buy(world.buyer(), world.mint.issue([100]));
  const extend = (seconds: number, bytes: number) =>
    ask("sessions-extend", { which: "10.9.0.2", seconds, bytes });
  await expect(extend(1e15, 0)).rejects.toThrow(/seconds/);
  await expect(extend(0, 2 ** 50)).rejects.toThrow(/bytes/);
  await expect(ask("sessions-revoke", { which: "10.9.0.2", reason: "" })).rejects.toThrow(/reason/);
  expect(world.all("SELECT * FROM operator_acts")).toEqual([]);
});
