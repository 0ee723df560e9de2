import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { eventually } from "../testing/eventually.ts";
import { startInbox } from "../testing/inbox.ts";
import { mountSmallDisk, mountsMissing } from "../testing/small-disk.ts";
import { openTunnelMarket, tunnelsMissing } from "../testing/tunnel-market.ts";

const missing = mountsMissing(Boolean(process.env.CI)) ?? (await tunnelsMissing(Boolean(process.env.CI)));

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

describe.skipIf(missing)(`notes of trouble${missing ? ` (skipped: ${missing})` : ""}`, () => {
  it("relay, mint, interface and disk, switched off and on: one note each way, none in between", async () => {
    const market = await openTunnelMarket({ tag: "e2enote", buyers: 1 });
    closing.push(() => market.destroy());
    const { operator, relay, mint, world } = market;
    const inbox = await startInbox(relay, world.hostAddress);
    closing.push(() => inbox.stop());
    const disk = mountSmallDisk(join(operator.folder, "data"), 32);
    closing.push(async () => {
      await operator.kill();
      disk.unmount();
    });
    operator.writeConfig({ more: inbox.toml(24) });
    await operator.start();
    await eventually(() => inbox.texts().length === 1, 120_000);
    const told = () => inbox.texts().map((text) => text.split("\n")[1] ?? "");
    const names = ["database", "interface", `mint ${mint.url}`, `relay ${relay.url}`];

    await market.buy();
    await Promise.all([relay.stop(), mint.stop(), world.tearDownWg0()]);
    disk.fill();
    // A mint counts as silent a minute after its last answer.
    await eventually(() => told().filter((line) => line.startsWith("Trouble")).length === 4, 240_000);
    await sleep(25_000);
    expect(told().slice(2).sort()).toEqual(names.map((name) => `Trouble: ${name}`));

    disk.makeRoom();
    await Promise.all([relay.start(), mint.start(), world.bringUpWg0()]);
    await eventually(() => told().filter((line) => line.startsWith("Well")).length === 4, 240_000);
    await sleep(25_000);
    const well = told().slice(6).sort();
    expect(well).toEqual(
      names.map((name) => expect.stringMatching(`^Well again: ${name}, after \\d+ (seconds|minutes)\\.$`)),
    );
    expect(told()).toHaveLength(10);

    // Over a restart nothing is told twice.
    expect(await operator.stop()).toBe(0);
    await world.tearDownWg0();
    await operator.start();
    await eventually(() => told().length === 11, 120_000);
    await operator.kill();
    await operator.start();
    await sleep(25_000);
    await world.bringUpWg0();
    await eventually(() => told().length === 12, 120_000);
    expect(told().slice(-2)).toEqual(["Trouble: interface", expect.stringMatching(/^Well again: interface/)]);
    expect(operator.events("crashed")).toEqual([]);
  }, 1_200_000);
});
