import { afterEach, beforeEach, expect, it } from "vitest";
import type * as z from "zod";
import { booksReportSchema } from "../books/report.ts";
import { listingReportSchema, publishedSchema } from "../daemon/listing-report.ts";
import {
  sessionExtendSchema,
  sessionListSchema,
  sessionRevokeSchema,
  sessionShowSchema,
} from "../daemon/sessions-report.ts";
import { type Answer, type Buyer, createBuyer, findListings } from "../testing/buyer.ts";
import { mintToken } from "../testing/ecash.ts";
import { startMint, type TestMint } from "../testing/mint.ts";
import { createOperator, type Operator } from "../testing/operator.ts";
import { orderAt } from "../testing/orders.ts";
import { startRelay, type TestRelay } from "../testing/relay.ts";

const DAY = { amount: 100, unit: "day" } as const;
const DAY_SECONDS = 86_400;

let relay: TestRelay;
let mint: TestMint;
let operator: Operator;

beforeEach(async () => {
  relay = await startRelay();
  mint = await startMint();
  operator = await createOperator({ relays: [relay.url], mints: [mint.url] });
  await operator.start();
  await operator.waitForEvent("listing-published");
});
afterEach(async () => {
  await operator.destroy();
  await mint.stop();
  await relay.stop();
});

async function told<T>(args: readonly string[], schema: z.ZodType<T>, exitCode = 0): Promise<T> {
  const ended = await operator.command([...args, "--json"]);
  expect({ exitCode: ended.exitCode, stderr: ended.stderr }).toEqual({ exitCode, stderr: "" });
  return schema.parse(JSON.parse(ended.stdout));
}

async function prepare(buyer: Buyer): Promise<() => Promise<Answer>> {
  const lock = { pubkey: operator.p2pk };
  const { token } = await mintToken({ mintUrl: mint.url, amountSat: DAY.amount, lock });
  return () => buyer.purchase(orderAt(operator, DAY, { token }));
}

async function buy(
  buyer = createBuyer(),
): Promise<{ buyer: Buyer; answer: Answer; again: () => Promise<Answer> }> {
  const again = await prepare(buyer);
  return { buyer, answer: await again(), again };
}

async function restart(): Promise<void> {
  await operator.stop();
  await operator.start();
}

const statuses = async () => (await findListings(relay.url)).map(({ listing }) => listing.status);

/** A newcomer is refused, and told so before his token is touched; who has a tunnel renews it. */
async function expectRenewalsOnly(buyer: Buyer, expiresAt: number): Promise<number> {
  const stranger = await buy();
  expect(stranger.answer).toMatchObject({ status: 503, body: { reason: "tunnel-unavailable" } });
  expect(stranger.answer.body.message).toMatch(/sells to nobody new now; your payment was not touched/);
  const renewal = await buy(buyer);
  expect(renewal.answer).toMatchObject({ status: 200, body: { expires_at: expiresAt + DAY_SECONDS } });
  expect((await fetch(`${operator.url}/health`)).status).toBe(200);
  return expiresAt + DAY_SECONDS;
}

it("paused: newcomers are refused, renewals go on, the relays hear of it at once, over a restart, until resumed", async () => {
  const { buyer, answer } = await buy();
  let expiresAt = answer.body.expires_at ?? 0;
  expect(await told(["listing", "pause"], publishedSchema)).toEqual({
    standing: "paused",
    status: "sold",
    failed: null,
    relays: [{ url: relay.url, taken: true, said: "acknowledged" }],
  });
  expect(await statuses()).toEqual(["sold"]);
  expiresAt = await expectRenewalsOnly(buyer, expiresAt);
  await restart();
  expect(await told(["listing", "show"], listingReportSchema)).toMatchObject({
    standing: "paused",
    wanted: { status: "sold" },
  });
  await expectRenewalsOnly(buyer, expiresAt);
  expect(await told(["listing", "resume"], publishedSchema)).toMatchObject({
    standing: "offered",
    status: "active",
  });
  expect(await statuses()).toEqual(["active"]);
  expect((await buy()).answer.status).toBe(200);
});

it("retired: gone from the relays, over a restart, until resumed or published; renewals go on", async () => {
  const { buyer, answer } = await buy();
  expect(await told(["listing", "retire"], publishedSchema)).toMatchObject({
    standing: "retired",
    status: "retired",
    relays: [{ taken: true }],
  });
  expect(await statuses()).toEqual([]);
  const expiresAt = await expectRenewalsOnly(buyer, answer.body.expires_at ?? 0);
  await restart();
  await operator.waitForEvent("listing-retired", 20_000, 1);
  expect(await statuses()).toEqual([]);
  expect(relay.events().filter(({ kind }) => kind === 5)).toHaveLength(1);
  expect(await told(["listing", "show"], listingReportSchema)).toMatchObject({
    standing: "retired",
    wanted: null,
    relays: [{ has: "as-wanted", status: null }],
  });
  await expectRenewalsOnly(buyer, expiresAt);
  expect(await told(["listing", "publish"], publishedSchema)).toMatchObject({
    standing: "offered",
    status: "active",
  });
  expect(await statuses()).toEqual(["active"]);
  expect((await buy()).answer.status).toBe(200);
});

it("a relay that is down when it is paused hears of it when it is back; until then the exit code is 2", async () => {
  await relay.stop();
  const { exitCode, stdout } = await operator.command(["listing", "pause"], 60_000);
  expect(exitCode).toBe(2);
  expect(stdout).toMatch(/^The listing is paused: .*\nws:\/\/\S+ +\S/);
  await relay.start();
  await expect.poll(statuses, { timeout: 60_000 }).toEqual(["sold"]);
});

it("revoked: off at once, over a restart; the claim is told so, and the same key may buy anew", async () => {
  const { buyer, again } = await buy();
  const { sessions } = await told(["sessions", "list"], sessionListSchema);
  const [session] = sessions;
  expect(sessions).toMatchObject([
    { shortKey: buyer.wireguard.publicKey.slice(0, 8), status: "active", peer: { lastHandshakeAt: null } },
  ]);
  const address = session?.address ?? "";
  const revoked = await told(
    ["sessions", "revoke", address, "--reason", "an abuse report"],
    sessionRevokeSchema,
  );
  expect(revoked).toMatchObject({ session: { status: "revoked" }, peerOff: true, underWay: 0 });
  expect(await told(["sessions", "list"], sessionListSchema)).toEqual({ sessions: [], leftOut: 0 });
  const refused = { status: 409, body: { reason: "policy", message: expect.stringContaining("revoked") } };
  expect(await again()).toMatchObject(refused);
  await restart();
  expect(await again()).toMatchObject(refused);
  expect(await told(["sessions", "show", session?.sessionId ?? ""], sessionShowSchema)).toMatchObject({
    session: { status: "revoked" },
    sales: [{ method: "cashu", state: "granted", faceSat: 100 }],
    acts: [{ act: "revoked", reason: "an abuse report" }],
  });
  const twice = await operator.command(["sessions", "revoke", session?.sessionId ?? "", "--reason", "again"]);
  expect(twice).toMatchObject({ exitCode: 1, stdout: "", stderr: "this session is over: it is revoked\n" });
  expect((await buy(buyer)).answer.status).toBe(200);
  expect(await told(["books"], booksReportSchema)).toMatchObject({ balanced: true, payments: { sales: 2 } });
  const log = operator
    .output()
    .split("\n")
    .filter((line) => line.startsWith('{"level":'));
  expect(log.join("\n")).toContain("session-revoked");
  expect(log.join("\n")).not.toMatch(/an abuse report|10\.66\.42\./);
  expect(log.join("\n")).not.toContain(buyer.wireguard.publicKey.slice(0, 8));
});

it("extended: for so much longer, over a restart, and the books know no more sales", async () => {
  const { answer, again } = await buy();
  const { sessions } = await told(["sessions", "list"], sessionListSchema);
  const id = sessions[0]?.sessionId.slice(0, 12) ?? "";
  const expiresAt = (answer.body.expires_at ?? 0) + 5 * 3600;
  expect(await told(["sessions", "extend", id, "--hours", "5"], sessionExtendSchema)).toMatchObject({
    session: { timeUntil: expiresAt },
  });
  await told(["sessions", "extend", id, "--gib", "2"], sessionExtendSchema);
  await restart();
  expect(await again()).toMatchObject({ status: 200 });
  expect(await told(["sessions", "show", id], sessionShowSchema)).toMatchObject({
    session: { timeUntil: expiresAt, quotaBytes: 2 * 2 ** 30, usedBytes: 0 },
    acts: [
      { act: "extended", seconds: 5 * 3600, bytes: 0 },
      { act: "extended", seconds: 0, bytes: 2 * 2 ** 30 },
    ],
  });
  const { balanced, payments, total } = await told(["books"], booksReportSchema);
  expect({ balanced, payments, paid: total.paidSat }).toEqual({
    balanced: true,
    payments: { sales: 1, granted: 1, owed: 0 },
    paid: 100,
  });
});

it("revocations in the midst of renewals: every payment has its tunnel, or was revoked with it", async () => {
  const buyers = await Promise.all(Array.from({ length: 6 }, async () => (await buy()).buyer));
  const renewals = await Promise.all(buyers.map(prepare));
  const { sessions } = await told(["sessions", "list"], sessionListSchema);
  expect(sessions).toHaveLength(6);
  const revoking = sessions.map(({ sessionId }) =>
    told(["sessions", "revoke", sessionId, "--reason", "a test"], sessionRevokeSchema),
  );
  const renewing = renewals.map(async (renew, index) => {
    await new Promise((resolve) => setTimeout(resolve, index * 400));
    return renew();
  });
  await Promise.all(revoking);
  await Promise.all(renewing);
  const last = await Promise.all(renewals.map((renew) => renew()));
  for (const { status, body } of last) {
    if (status === 200) expect(body.expires_at ?? 0).toBeLessThan(Date.now() / 1000 + DAY_SECONDS + 60);
    else expect(body).toMatchObject({ reason: "policy" });
  }
  const { sessions: running } = await told(["sessions", "list"], sessionListSchema);
  expect(running).toHaveLength(last.filter(({ status }) => status === 200).length);
  expect(await told(["books"], booksReportSchema)).toMatchObject({
    balanced: true,
    payments: { sales: 12, granted: 12 },
  });
});
