import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aYear, fillBook } from "../testing/bench/fill-book.ts";
import { eventually } from "../testing/eventually.ts";
import { type PacketStream, startPacketStream } from "../testing/packet-stream.ts";
import { openTunnelMarket, type TunnelMarket, tunnelsMissing } from "../testing/tunnel-market.ts";

const missing = await tunnelsMissing(Boolean(process.env.CI));
const SESSIONS = 10_000;
const START_MS = 300_000;
/** nft prints what is left, in whole seconds, and a look takes its time. */
const SLACK_MS = 60_000;

describe.skipIf(missing)(`ten thousand sessions${missing ? ` (skipped: ${missing})` : ""}`, () => {
  let market: TunnelMarket;
  let stream: PacketStream;

  beforeAll(async () => {
    market = await openTunnelMarket({
      tag: "e2eten",
      buyers: 1,
      prices: [{ amount: 3600, unit: "hour" }],
      enforcement: "kernel",
    });
  }, 90_000);
  afterAll(async () => {
    stream?.stop();
    await market?.destroy();
  }, 60_000);

  /** What each address is held to, and until when, in unix ms. */
  async function standing() {
    const { whole, time, data, counts, rates, limited } = await market.limits();
    const nowMs = Date.now();
    const endMs = (leftMs: number | null) => (leftMs === null ? null : nowMs + leftMs);
    const ends = new Map<string, number | null>();
    for (const [address, leftMs] of time) ends.set(`time of ${address}`, endMs(leftMs));
    for (const [address, { name, leftMs }] of data) ends.set(`data ${name} of ${address}`, endMs(leftMs));
    return { ends, rest: { whole, counts, rates, limited, peers: await market.peers() } };
  }

  it("started, killed, started: every limit is as before, and no tunnel was dropped", async () => {
    const { operator, world } = market;
    await operator.start();
    const { conf, buyer } = await market.buy();
    await operator.stop();
    fillBook(operator.databasePath, SESSIONS, (index) =>
      index % 2 === 0 ? aYear : { seconds: 0, bytes: 10 ** 9 + index },
    );
    await operator.start({ timeoutMs: START_MS });
    await world.bringUpBuyer(conf, buyer.wireguard.privateKey);
    stream = await startPacketStream(world);
    const before = await standing();
    expect([before.rest.peers.size, before.rest.counts.size]).toEqual([SESSIONS + 1, SESSIONS / 2]);
    const reconciled = operator.events("reconciled").length;

    await operator.kill();
    await operator.start({ timeoutMs: START_MS });
    const { received } = await stream.seen();
    await eventually(async () => (await stream.seen()).received > received + 1_000, 60_000);

    const after = await standing();
    expect(after.rest).toEqual(before.rest);
    const others = [...before.ends].filter(([what, endMs]) => !isSameEnd(endMs, after.ends.get(what)));
    expect([others, after.ends.size]).toEqual([[], SESSIONS + 1]);
    expect(operator.events("reconciled")).toHaveLength(reconciled);
    expect(operator.events("limits-rebuilt")).toEqual([]);
    const seen = await stream.seen();
    expect(seen.received).toBe(seen.last - seen.first + 1);
  }, 600_000);
});

function isSameEnd(before: number | null, after: number | null | undefined): boolean {
  if (before === null || after === null || after === undefined) return before === after;
  return Math.abs(after - before) < SLACK_MS;
}
