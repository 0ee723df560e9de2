import { afterEach, beforeEach, expect, it } from "vitest";
import { createFacts } from "../db/facts.ts";
import { createMutex } from "../mutex.ts";
import {
  firstPurchase,
  HOLD_SECONDS,
  newKey,
  openSessionBook,
  type SessionBook,
} from "../testing/session-book.ts";
import { createInMemoryEnforcement } from "../wireguard/in-memory.ts";
import { createAdmissions } from "./admissions.ts";
import { createClockGuard } from "./clock-guard.ts";
import { noLimits } from "./limit-keeper.ts";
import { EnforcementError, type PeerChange } from "./ports.ts";

const START = 1_800_000_000;
const SERVER = newKey();
const hour = { seconds: 3600, bytes: 0 };

let open: SessionBook;
let changes: PeerChange[];
let failing: boolean;
let mistrusted: number;
/** Held by who uses the interface before those who wait. */
let release: () => void;
let admit: ReturnType<typeof createAdmissions>;

beforeEach(async () => {
  open = await openSessionBook();
  changes = [];
  failing = false;
  mistrusted = 0;
  const wg = createInMemoryEnforcement(SERVER);
  const exclusively = createMutex();
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  void exclusively(() => held);
  const guard = createClockGuard(createFacts(open.book), { now: () => START }, () => 0, false);
  const apply = async (change: PeerChange) => {
    changes.push(change);
    if (failing) throw new EnforcementError({ code: "no-interface", message: "gone" });
    return wg.apply(change);
  };
  admit = createAdmissions({
    store: open.store,
    pool: open.pool,
    enforcement: { ...wg, apply },
    limits: { ...noLimits, mistrust: () => mistrusted++ },
    guard,
    exclusively,
    wallMs: () => START * 1000,
  });
});
afterEach(() => open.close());

function reserve(key = newKey()): string {
  return open.store.reserve(key, firstPurchase, START) ?? "";
}
const grantOf = (id: string) => (now: number) => open.store.grant(id, hour, now);
const statusOf = (id: string) => open.store.find(id)?.status;

it("those who wait share one change, each with its own write", async () => {
  const ids = Array.from({ length: 5 }, () => reserve());
  const admitted = ids.map((id) => admit(id, hour, grantOf(id)));
  release();
  expect(await Promise.all(admitted)).toEqual(ids.map(() => true));
  expect(changes.map(({ set, remove }) => [set.length, remove.length])).toEqual([[5, 0]]);
  expect(mistrusted).toBe(0);
  expect(ids.map(statusOf)).toEqual(ids.map(() => "active"));
  const late = reserve();
  await admit(late, hour, grantOf(late));
  expect(changes).toHaveLength(2);
});

it("what is wrong with one is no other's trouble", async () => {
  const [good, revoked, unwritten, ownKey] = [reserve(), reserve(), reserve(), reserve(SERVER)];
  open.store.grant(revoked, hour, START - HOLD_SECONDS);
  open.store.revoke(revoked, START);
  const admitted = [
    admit(good, hour, grantOf(good)),
    admit(revoked, hour, grantOf(revoked)),
    admit(unwritten, hour, () => {
      throw new Error("the disk is full");
    }),
    admit("nobody", hour, () => {}),
    admit(ownKey, hour, grantOf(ownKey)),
  ];
  const settled = Promise.allSettled(admitted);
  release();
  expect(await settled).toMatchObject([
    { value: true },
    { value: false },
    { reason: { message: "the disk is full" } },
    { reason: { message: expect.stringContaining("does not have") } },
    { reason: { trouble: { code: "not-answering" } } },
  ]);
  expect([good, unwritten, ownKey].map(statusOf)).toEqual(["active", "pending", "pending"]);
  // The limits of the two stand for nobody now.
  expect(mistrusted).toBe(2);
});

it("nobody's grant is written when the interface does not answer", async () => {
  failing = true;
  const ids = [reserve(), reserve()];
  const admitted = Promise.allSettled(ids.map((id) => admit(id, hour, grantOf(id))));
  release();
  const gone = { reason: { trouble: { code: "no-interface" } } };
  expect(await admitted).toMatchObject([gone, gone]);
  expect(ids.map(statusOf)).toEqual(["pending", "pending"]);
  expect(mistrusted).toBeGreaterThan(0);
});
