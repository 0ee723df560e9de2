import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import type { NodeFault } from "./node-harness.ts";
import { type Scene, untilTrue } from "./node-scene.ts";

const FAULTS: NodeFault[] = ["stall", "drop-before", "drop-after", "error-500", "garbage", "unauthorised"];

/** After these nobody knows what became of the request. */
const SILENT = new Set<NodeFault>(["stall", "drop-before", "drop-after", "garbage"]);

/** More than anyone tries by himself. */
const EVERY_TIME = 1_000;

/** Where the node does not answer as it should: each call ends, and nothing is taken for an answer that is none. */
export function describeFaults(scene: Scene): void {
  describe.each(FAULTS)("%s", (fault) => {
    const isSilent = SILENT.has(fault);

    it("makes makeInvoice fail, without preimage or secret in the error", async () => {
      scene.harness.fault("make", fault, EVERY_TIME);
      const order = scene.order();
      const error = await scene.failure(scene.node.makeInvoice(order));
      if (isSilent) expect(error.kind).toBe("silent");
      expect(inspect(error, { depth: 10 })).not.toContain(order.preimage);
    });

    it("leaves one invoice, when it is asked for again", async () => {
      scene.harness.fault("make", fault);
      const order = scene.order();
      const { paymentHash } = await scene.node.makeInvoice(order).catch(() => scene.node.makeInvoice(order));
      expect(scene.harness.invoiceCount()).toBe(1);
      await scene.harness.pay(paymentHash);
      expect((await scene.node.lookUp(paymentHash)).kind).toBe("paid");
    });

    it("is no answer to lookUp", async () => {
      const { paymentHash } = await scene.make();
      scene.harness.fault("look-up", fault, EVERY_TIME);
      const error = await scene.failure(scene.node.lookUp(paymentHash));
      if (isSilent) expect(error.kind).toBe("silent");
    });

    it("is never taken for a cancellation", async () => {
      const { paymentHash } = await scene.make();
      scene.harness.fault("cancel", fault, EVERY_TIME);
      const answer = await scene.node.cancel(paymentHash).catch(scene.expectNodeError);
      expect(answer).not.toBe(true);
    });

    it("is told by probe in words, without the secret", async () => {
      scene.harness.fault("probe", fault, EVERY_TIME);
      const words = await scene.node.probe();
      expect(words).toMatch(/[a-z]+ [a-z]+/i);
      scene.expectNoSecret(words);
    });
  });

  describe.each(FAULTS.filter((fault) => fault !== "stall"))("%s of the stream", (fault) => {
    it("loses no payment for who follows again", async () => {
      const cursor = await scene.start();
      scene.harness.fault("follow", fault);
      const hash = await scene.makePaid();
      let follower = scene.follow(cursor);
      await untilTrue(async () => {
        if (follower.isOver()) {
          await scene.ended(follower);
          follower = scene.follow(cursor);
        }
        return follower.hashes().includes(hash);
      });
    });
  });

  it("a stream that stalls ends when it is told to", async () => {
    const cursor = await scene.start();
    scene.harness.fault("follow", "stall");
    const follower = scene.follow(cursor);
    const hash = await scene.makePaid();
    await follower.stop();
    const again = scene.follow(cursor);
    await untilTrue(() => again.hashes().includes(hash));
  });

  it("a node that is down is silent, says so to probe, and is well again once it is up", async () => {
    expect(await scene.node.probe()).toBeUndefined();
    const order = scene.order();
    const { paymentHash } = await scene.node.makeInvoice(order);
    await scene.harness.down();
    const words = await scene.node.probe();
    expect(words).toMatch(/[a-z]+ [a-z]+/i);
    scene.expectNoSecret(words);
    expect((await scene.failure(scene.node.makeInvoice(order))).kind).toBe("silent");
    expect((await scene.failure(scene.make())).kind).toBe("silent");
    expect((await scene.failure(scene.node.lookUp(paymentHash))).kind).toBe("silent");
    await scene.harness.up();
    expect(await scene.node.probe()).toBeUndefined();
    expect(await scene.node.lookUp(paymentHash)).toEqual({ kind: "open" });
    expect((await scene.node.makeInvoice(order)).paymentHash).toBe(paymentHash);
  });
}
