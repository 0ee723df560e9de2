import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, expect, it } from "vitest";
import {
  addressIn,
  type Buyer,
  createWorld,
  DAY,
  imbalances,
  reasonOf,
  type World,
} from "../testing/sales-world.ts";
import { createOperatorActsStore } from "../tunnels/operator-acts-store.ts";

let world: World;
beforeEach(async () => {
  world = await createWorld({ answerWithinMs: 400 });
});
afterEach(async () => {
  expect(imbalances(world)).toEqual([]);
  await world.close();
});

async function bought(buyer: Buyer, days = 1) {
  const token = world.mint.issue(Array.from({ length: days }, () => 100));
  return { token, address: addressIn(await world.buy(buyer, token)) };
}

/** As the daemon does for the operator. */
function revoke(buyer: Buyer): Promise<string> {
  const { book, sessions, sales, keeper } = world.run;
  const acts = createOperatorActsStore(book, sessions);
  const { sessionId } = sessions.findByKey(buyer.publicKey, world.time.seconds) ?? { sessionId: "none" };
  const { seconds } = world.time;
  return keeper.revoke(sessionId, () =>
    acts.revoke(sessionId, "a test", seconds, () => void sales.detachOpen(sessionId, seconds)),
  );
}

const sessionOf = (token: string) =>
  world.all<{ status: string; left: number }>(
    `SELECT status, time_until - ${world.time.seconds} AS left FROM sessions
       JOIN session_terms USING (session_id) WHERE session_id IN
         (SELECT session_id FROM sales JOIN sale_inputs USING (sale_id) WHERE y IN
           (SELECT value FROM json_each('${JSON.stringify(ysOf(token))}')))`,
  )[0];
const ysOf = (token: string) => world.mint.reader.decode(token).ys;

it("a claim of a revoked tunnel is refused in words, over ecash and over Lightning, and after a restart", async () => {
  const buyer = world.buyer();
  const { token } = await bought(buyer);
  const { paymentHash, preimage } = await world.invoice(buyer);
  world.node.settle(paymentHash);
  await world.run.lnurl.config(paymentHash, preimage);
  expect(await revoke(buyer)).toBe("off");
  expect(await world.peerKeys()).toEqual([]);
  for (let run = 0; run < 2; run++) {
    await expect(world.buy(buyer, token)).rejects.toThrow(
      /^the operator revoked this token's tunnel at \d{4}-/,
    );
    await expect(world.run.lnurl.config(paymentHash, preimage)).rejects.toThrow(
      /revoked this payment's tunnel/,
    );
    expect(await reasonOf(world.buy(buyer, token))).toBe("policy");
    await world.restart();
  }
});

it("the same key may buy anew, as anybody: another address, and nothing of the time that was revoked", async () => {
  const buyer = world.buyer();
  const first = await bought(buyer, 30);
  await revoke(buyer);
  world.settings.closed = "sales are paused";
  expect(await reasonOf(world.buy(buyer, world.mint.issue([100])))).toBe("tunnel-unavailable");
  world.settings.closed = undefined;
  const second = await bought(buyer);
  expect(second.address).not.toBe(first.address);
  expect(sessionOf(second.token)).toEqual({ status: "active", left: DAY });
  expect(await world.peerKeys()).toEqual([buyer.publicKey]);
  expect(await reasonOf(world.buy(buyer, first.token))).toBe("policy");
  const { publicKey } = world.buyer();
  expect(await reasonOf(world.buy({ ...buyer, publicKey }, first.token))).toBe("policy");
});

it("a renewal whose swap is open is not lost: once the mint answers, it is a tunnel of its own", async () => {
  const buyer = world.buyer();
  await bought(buyer, 30);
  world.mint.setSilent(true);
  const token = world.mint.issue([100]);
  expect(await reasonOf(world.buy(buyer, token))).toBe("mint-unreachable");
  await revoke(buyer);
  expect(world.all("SELECT session_id FROM sales WHERE state = 'swapping'")).toEqual([{ session_id: null }]);
  await world.restart();
  world.mint.setSilent(false);
  await world.sweep();
  await world.sweep();
  expect(sessionOf(token)?.status).toBe("active");
  expect(sessionOf(token)?.left).toBeLessThanOrEqual(DAY);
  expect(await world.peerKeys()).toEqual([buyer.publicKey]);
  await world.buy(buyer, token);
});

it("an invoice that is paid after the revocation is honoured with a tunnel of its own", async () => {
  const buyer = world.buyer();
  await bought(buyer, 30);
  const { paymentHash, preimage } = await world.invoice(buyer);
  await revoke(buyer);
  world.node.settle(paymentHash);
  const { expiresAt } = await world.run.lnurl.config(paymentHash, preimage);
  expect(expiresAt).toBe(world.time.seconds + DAY);
});

it("a grant that waits for the interface behind the revocation puts up nothing", async () => {
  const buyer = world.buyer();
  await bought(buyer);
  const { sessions, keeper } = world.run;
  const { sessionId } = sessions.findByKey(buyer.publicKey, world.time.seconds) ?? { sessionId: "none" };
  const revoking = revoke(buyer);
  const admitting = keeper.admit(sessionId, { seconds: DAY, bytes: 0 }, () => expect.unreachable());
  expect(await Promise.all([revoking, admitting])).toEqual(["off", false]);
  expect(await world.peerKeys()).toEqual([]);
  expect(sessions.find(sessionId)?.status).toBe("revoked");
});

it("a renewal at the same moment is revoked with the rest or has a tunnel of its own, and never gives back the old time", async () => {
  const outcomes = new Set<string>();
  for (const turns of [...Array(24).keys(), "until it is granted"]) {
    const buyer = world.buyer();
    await bought(buyer, 30);
    const token = world.mint.issue([100]);
    const renewal = world.buy(buyer, token).then(
      () => "granted",
      (error: { reason?: string }) => error.reason ?? "unknown",
    );
    if (typeof turns === "string") await renewal;
    else for (let waited = 0; waited < turns; waited++) await turn();
    await revoke(buyer);
    await renewal;
    await world.sweep(1);
    const session = sessionOf(token);
    expect(world.all("SELECT state FROM sales WHERE state <> 'granted'")).toEqual([]);
    if (session?.status === "active") expect(session.left).toBeLessThanOrEqual(DAY);
    else expect(session?.status).toBe("revoked");
    const isUp = (await world.peerKeys()).includes(buyer.publicKey);
    expect(isUp).toBe(session?.status === "active");
    outcomes.add(session?.status ?? "none");
  }
  expect([...outcomes].sort()).toEqual(["active", "revoked"]);
});
