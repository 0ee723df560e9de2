import { randomBytes } from "node:crypto";
import { inspect } from "node:util";
import { afterEach, beforeEach, expect } from "vitest";
import {
  type Cursor,
  type Invoice,
  type InvoiceOrder,
  type LightningNode,
  NodeError,
  type Payment,
} from "../../sales/lightning/ports.ts";
import { eventually } from "../eventually.ts";
import type { NodeHarness, NodeLack } from "./node-harness.ts";

export interface Follower {
  readonly reports: { payment: Payment; cursor: Cursor }[];
  /** What was reported, each hash once, without what `start` paid. */
  hashes(): string[];
  isOver(): boolean;
  /** Waits for its end. The error that ended it; undefined when it just ended. */
  over(): Promise<unknown>;
  stop(): Promise<void>;
}

/** A fresh node for each test, and what the tests do with it. */
export interface Scene {
  readonly harness: NodeHarness;
  readonly node: LightningNode;
  cannot(lack: NodeLack): boolean;
  order(changes?: Partial<InvoiceOrder>): InvoiceOrder;
  make(changes?: Partial<InvoiceOrder>): Promise<Invoice>;
  /** The hash of an invoice that was made and paid. */
  makePaid(changes?: Partial<InvoiceOrder>): Promise<string>;
  follow(cursor: Cursor | undefined, onReport?: () => void): Follower;
  /** A cursor after which nothing was paid. No stream says when it is ready, so payments are made until one is seen. */
  start(): Promise<Cursor>;
  /** Waits until a following is over: it just ended, or as `expectNodeError` says. */
  ended(follower: Follower): Promise<void>;
  /** The error that a call fails with, as `expectNodeError` says. */
  failure(call: Promise<unknown>): Promise<NodeError>;
  /** Of what was thrown: it is a `NodeError` without the node's secret. */
  expectNodeError(thrown: unknown): NodeError;
  expectNoSecret(what: unknown): void;
}

/** How long anything on loopback may take on a machine that is busy with other things. */
const PATIENCE_MS = 20_000;

export function untilTrue(what: () => boolean | Promise<boolean>): Promise<number> {
  return eventually(what, PATIENCE_MS);
}

/** Registers its own hooks: to be called within a `describe`. */
export function createScene(createHarness: () => Promise<NodeHarness>): Scene {
  let harness: NodeHarness | undefined;
  let followers: Follower[] = [];
  let paidByStart = new Set<string>();

  beforeEach(async () => {
    followers = [];
    paidByStart = new Set();
    harness = await createHarness();
  });
  afterEach(async () => {
    await Promise.all(followers.map((follower) => follower.stop()));
    await harness?.close();
    harness = undefined;
  });

  const scene: Scene = {
    get harness() {
      if (harness === undefined) throw new Error("the scene is set for the time of a test");
      return harness;
    },
    get node() {
      return scene.harness.node;
    },
    cannot: (lack) => scene.harness.cannot?.has(lack) ?? false,
    order: (changes) => ({
      reference: randomBytes(16).toString("hex"),
      preimage: randomBytes(32).toString("hex"),
      amountMsat: 21 * scene.node.stepMsat,
      descriptionHash: randomBytes(32).toString("hex"),
      expirySeconds: 600,
      ...changes,
    }),
    make: (changes) => scene.node.makeInvoice(scene.order(changes)),
    async makePaid(changes) {
      const { paymentHash } = await scene.make(changes);
      await scene.harness.pay(paymentHash);
      return paymentHash;
    },
    follow(cursor, onReport) {
      const follower = startFollower(scene.node, cursor, paidByStart, onReport);
      followers.push(follower);
      return follower;
    },
    async start() {
      const follower = scene.follow(undefined);
      const pay = async () => paidByStart.add(await scene.makePaid());
      await untilTrue(async () => {
        await pay();
        return follower.reports.length > 0;
      });
      const last = await scene.makePaid();
      await untilTrue(() => follower.hashes().includes(last));
      paidByStart.add(last);
      await follower.stop();
      return Math.max(...follower.reports.map(({ cursor }) => cursor));
    },
    async ended(follower) {
      const thrown = await follower.over();
      if (thrown !== undefined) scene.expectNodeError(thrown);
    },
    failure: async (call) => scene.expectNodeError(await thrownBy(call)),
    expectNodeError(thrown) {
      if (!(thrown instanceof NodeError)) throw new Error("it is no NodeError", { cause: thrown });
      scene.expectNoSecret(thrown);
      return thrown;
    },
    expectNoSecret(what) {
      const { secret } = scene.harness;
      if (secret !== undefined) expect(inspect(what, { depth: 10 })).not.toContain(secret);
    },
  };
  return scene;
}

/** Undefined when it did not fail. */
function thrownBy(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
}

function startFollower(
  node: LightningNode,
  cursor: Cursor | undefined,
  known: ReadonlySet<string>,
  onReport: () => void = () => {},
): Follower {
  const stopping = new AbortController();
  const reports: Follower["reports"] = [];
  let isOver = false;
  const report = (payment: Payment, reached: Cursor) => {
    reports.push({ payment, cursor: reached });
    onReport();
  };
  const over = thrownBy(node.follow(cursor, report, stopping.signal)).finally(() => {
    isOver = true;
  });
  return {
    reports,
    hashes: () =>
      [...new Set(reports.map(({ payment }) => payment.paymentHash))].filter((hash) => !known.has(hash)),
    isOver: () => isOver,
    over: () => over,
    async stop() {
      stopping.abort();
      await over;
    },
  };
}
