import { expect, it } from "vitest";
import type { Cursor } from "../../sales/lightning/ports.ts";
import { type Follower, type Scene, untilTrue } from "./node-scene.ts";

export function describeFollowing(scene: Scene): void {
  it("reports a payment as it comes, with its sums, and nothing that is unpaid", async () => {
    const follower = scene.follow(await scene.start());
    await scene.make();
    const order = scene.order();
    const { paymentHash } = await scene.node.makeInvoice(order);
    await scene.harness.pay(paymentHash);
    await reported(follower, paymentHash);
    expect(follower.hashes()).toEqual([paymentHash]);
    const { payment } = lastReport(follower);
    expect(await scene.node.lookUp(paymentHash)).toEqual({ kind: "paid", payment });
    expect(payment.receivedMsat + payment.feeMsat).toBe(order.amountMsat);
    expect([undefined, order.reference]).toContain(payment.reference);
  });

  it("reports the real sum when more was paid", async () => {
    const follower = scene.follow(await scene.start());
    const { paymentHash } = await scene.make();
    await scene.harness.pay(paymentHash, 31 * scene.node.stepMsat);
    await reported(follower, paymentHash);
    const { payment } = lastReport(follower);
    expect(payment.receivedMsat + payment.feeMsat).toBe(31 * scene.node.stepMsat);
  });

  it("reports nothing from before when it begins without a cursor", async () => {
    const before = [await scene.makePaid(), await scene.makePaid()];
    const follower = scene.follow(undefined);
    await untilTrue(async () => {
      await scene.makePaid();
      return follower.reports.length > 0;
    });
    for (const hash of before) expect(follower.hashes()).not.toContain(hash);
  });

  it("replays what was paid while nobody followed, oldest first", async () => {
    const cursor = await scene.start();
    const missed = [];
    for (let paid = 0; paid < 3; paid++) {
      scene.harness.pass(1);
      missed.push(await scene.makePaid());
    }
    const follower = scene.follow(cursor);
    await reported(follower, ...missed);
    expect(follower.hashes()).toEqual(missed);
    const next = await scene.makePaid();
    await reported(follower, next);
    expect(follower.hashes()).toEqual([...missed, next]);
  });

  it("replays everything, however much it is", async () => {
    const cursor = await scene.start();
    const missed = new Set<string>();
    while (missed.size < 45) missed.add(await scene.makePaid());
    const follower = scene.follow(cursor);
    await reported(follower, ...missed);
    expect(new Set(follower.hashes())).toEqual(missed);
  });

  it("replays from each cursor what came after it", async () => {
    const follower = scene.follow(await scene.start());
    const hashes = [];
    for (let paid = 0; paid < 4; paid++) {
      scene.harness.pass(1);
      const hash = await scene.makePaid();
      await reported(follower, hash);
      hashes.push(hash);
    }
    await follower.stop();
    for (const [index, hash] of hashes.entries()) {
      const again = scene.follow(cursorAfter(follower, hash));
      const later = hashes.slice(index + 1);
      await reported(again, ...later);
      // The one that the cursor stands at may come again: two may have been received in the same instant.
      expect(again.hashes().filter((reportedHash) => reportedHash !== hash)).toEqual(later);
      await again.stop();
    }
  });

  it("never moves the cursor back, not for an old event either", async () => {
    const cursor = await scene.start();
    const follower = scene.follow(cursor);
    const first = await scene.makePaid();
    await reported(follower, first);
    scene.harness.pass(1);
    const second = await scene.makePaid();
    await reported(follower, second);
    scene.harness.repeatEvent(second);
    scene.harness.repeatEvent(first);
    scene.harness.pass(1);
    const third = await scene.makePaid();
    await reported(follower, third);
    expect(follower.hashes()).toEqual([first, second, third]);
    const cursors = [cursor, ...follower.reports.map((report) => report.cursor)];
    expect(cursors).toEqual(cursors.toSorted((a, b) => a - b));
  });

  it("says the same of a payment however often it is reported", async () => {
    const follower = scene.follow(await scene.start());
    const hash = await scene.makePaid();
    await reported(follower, hash);
    const { payment } = lastReport(follower);
    scene.harness.repeatEvent(hash);
    const next = await scene.makePaid();
    await reported(follower, next);
    const said = follower.reports.filter((report) => report.payment.paymentHash === hash);
    for (const report of said) expect(report.payment).toEqual(payment);
  });

  it("ends when the stream breaks, and begun again catches up", async () => {
    const follower = scene.follow(await scene.start());
    const first = await scene.makePaid();
    await reported(follower, first);
    scene.harness.breakStreams();
    await scene.ended(follower);
    scene.harness.pass(1);
    const missed = await scene.makePaid();
    const again = scene.follow(cursorAfter(follower, first));
    await reported(again, missed);
  });

  it.each([
    ["is down", 1],
    ["was down for an hour", 3600],
  ])("replays what was paid while the node %s", async (_when, downSeconds) => {
    const cursor = await scene.start();
    const follower = scene.follow(cursor);
    const { paymentHash } = await scene.make({ expirySeconds: 86_400 });
    await scene.harness.down();
    await scene.ended(follower);
    scene.harness.pass(downSeconds);
    await scene.harness.pay(paymentHash);
    scene.harness.pass(downSeconds);
    await scene.ended(scene.follow(cursor));
    await scene.harness.up();
    await reported(scene.follow(cursor), paymentHash);
  });

  it("ends when a report is not taken, and reports that payment again", async () => {
    const cursor = await scene.start();
    const refusing = scene.follow(cursor, () => {
      throw new Error("the book is shut");
    });
    const hash = await scene.makePaid();
    await refusing.over();
    scene.harness.pass(1);
    const next = await scene.makePaid();
    expect(refusing.reports).toHaveLength(1);
    const again = scene.follow(cursor);
    await reported(again, hash, next);
  });

  it("ends at the first of what was missed that is not taken, and replays all of it again", async () => {
    const cursor = await scene.start();
    const missed = [];
    for (let paid = 0; paid < 2; paid++) {
      scene.harness.pass(1);
      missed.push(await scene.makePaid());
    }
    const refusing = scene.follow(cursor, () => {
      throw new Error("the book is shut");
    });
    await refusing.over();
    expect(refusing.reports).toHaveLength(1);
    const again = scene.follow(cursor);
    await reported(again, ...missed);
    expect(again.hashes()).toEqual(missed);
  });

  it("ends when it is told to, and reports nothing after that", async () => {
    const cursor = await scene.start();
    const follower = scene.follow(cursor);
    await reported(follower, await scene.makePaid());
    const { length } = follower.reports;
    await follower.stop();
    const hash = await scene.makePaid();
    await reported(scene.follow(cursor), hash);
    expect(follower.reports).toHaveLength(length);
  });

  it("does not begin when it was told to end before", async () => {
    const cursor = await scene.start();
    await scene.makePaid();
    let reports = 0;
    const count = () => {
      reports++;
    };
    await scene.node.follow(cursor, count, AbortSignal.abort());
    expect(reports).toBe(0);
  });
}

async function reported(follower: Follower, ...hashes: string[]): Promise<void> {
  await untilTrue(() => hashes.every((hash) => follower.hashes().includes(hash)));
}

function lastReport(follower: Follower): Follower["reports"][number] {
  const report = follower.reports.at(-1);
  if (report === undefined) throw new Error("nothing was reported");
  return report;
}

/** The cursor that came with the hash's first report. */
function cursorAfter(follower: Follower, hash: string): Cursor {
  const report = follower.reports.find(({ payment }) => payment.paymentHash === hash);
  if (report === undefined) throw new Error("it was not reported");
  return report.cursor;
}
