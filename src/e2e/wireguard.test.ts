import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createBuyer } from "../testing/buyer.ts";
import { eventually } from "../testing/eventually.ts";
import { nutshellMissing } from "../testing/nutshell.ts";
import { startPing } from "../testing/running-ping.ts";
import { openTunnelMarket, soldTunnel, type TunnelMarket, tunnelsMissing } from "../testing/tunnel-market.ts";
import { generateWireguardKeys } from "../testing/wireguard-keys.ts";

const inCi = Boolean(process.env.CI);
const venv = process.env.EUROPA_TEST_NUTSHELL;
const noNutshell = nutshellMissing(venv, inCi);
const noTunnels = await tunnelsMissing(inCi);

const skipped = noTunnels ? ` (skipped: ${noTunnels})` : "";
describe.skipIf(noTunnels).each([
  { enforcement: "daemon", tag: "e2e" },
  { enforcement: "kernel", tag: "e2ekern" },
] as const)(`a bought tunnel, held to its limits by the $enforcement${skipped}`, ({ enforcement, tag }) => {
  let market: TunnelMarket;

  beforeAll(async () => {
    market = await openTunnelMarket({
      tag,
      enforcement,
      prices: [
        { amount: 10, unit: "hour" },
        { amount: 50, unit: "GiB" },
      ],
      nutshellVenv: noNutshell === undefined ? venv : undefined,
    });
    await market.operator.start();
  }, 90_000);
  afterAll(() => market?.destroy(), 30_000);

  const noPage = (buyer: "buyer1" | "buyer2") =>
    expect(market.world.fetchThroughTunnel({ buyer, timeoutSeconds: 1 })).rejects.toThrow(/exit code/);

  it("carries a page for the key that was paid for, and nothing for a stranger's, before and after", async () => {
    const { world } = market;
    const prepared = await market.prepare();
    const { buyer } = prepared;
    const stranger = generateWireguardKeys();
    expect(await market.peers()).toEqual(new Map());

    const sold = soldTunnel(buyer, await prepared.send());
    const takesIt = (privateKey: string, place: "buyer1" | "buyer2") =>
      world.bringUpBuyer(sold.conf, privateKey, place);
    await takesIt(stranger.privateKey, "buyer2");
    await noPage("buyer2");
    await takesIt(buyer.wireguard.privateKey, "buyer1");
    expect(await world.fetchThroughTunnel()).toBe(
      `a page on the internet, asked for by ${world.natAddress}\n`,
    );
    await noPage("buyer2");
    expect(await market.peers()).toEqual(new Map([[buyer.wireguard.publicKey, `${sold.address}/32`]]));
    expect(await prepared.states()).toEqual(["SPENT", "SPENT"]);
  });

  it("gives nothing to a valid key before it has paid", async () => {
    const { world } = market;
    const buyer = createBuyer();
    const other = await market.buy();
    await world.bringUpBuyer(
      other.conf.replace(other.address, "10.66.42.200"),
      buyer.wireguard.privateKey,
      "buyer2",
    );
    await noPage("buyer2");
    const sold = await market.buy({ buyer });
    await world.bringUpBuyer(sold.conf, buyer.wireguard.privateKey, "buyer2");
    expect(await world.fetchThroughTunnel({ buyer: "buyer2" })).toContain("a page on the internet");
  });

  it.skipIf(noNutshell)(
    `is paid with Nutshell's ecash${noNutshell ? ` (skipped: ${noNutshell})` : ""}`,
    async () => {
      const prepared = await market.prepare({ mintUrl: market.nutshell?.url ?? "" });
      const sold = soldTunnel(prepared.buyer, await prepared.send());
      await market.world.bringUpBuyer(sold.conf, prepared.buyer.wireguard.privateKey);
      expect(await market.world.fetchThroughTunnel()).toContain("a page on the internet");
      expect(new Set(await prepared.states())).toEqual(new Set(["SPENT"]));
    },
  );

  it("ends within two seconds of its time, and its packets with it", async () => {
    const { buyer, conf } = await market.buy();
    const { publicKey, privateKey } = buyer.wireguard;
    await market.world.bringUpBuyer(conf, privateKey);
    const endsAt = Math.floor(Date.now() / 1000) + 3;
    market.endTimeAt(publicKey, endsAt);
    const isUp = async () => (await market.peers()).has(publicKey);

    await market.world.fetchThroughTunnel();
    await sleep(endsAt * 1000 - 300 - Date.now());
    expect(await isUp()).toBe(true);
    const goneAtMs = await eventually(async () => !(await isUp()));
    expect(goneAtMs).toBeGreaterThanOrEqual(endsAt * 1000);
    expect(goneAtMs).toBeLessThan(endsAt * 1000 + 2_000);
    await noPage("buyer1");
    expect(market.operator.events("session-expired")).toContainEqual(
      expect.objectContaining({ cause: "time" }),
    );
  });

  it("counts the data of a data tier, up and down, and ends when it is used up", async () => {
    const { world } = market;
    const { buyer, conf } = await market.buy({ unit: "GiB" });
    const { publicKey, privateKey } = buyer.wireguard;
    const used = () => market.booked(publicKey).data_used_bytes;
    await world.bringUpBuyer(conf, privateKey);

    await world.fetchThroughTunnel({ path: "/bytes/1000000" });
    await eventually(() => used() > 1_000_000);
    await sleep(1_500);
    const afterDownload = used();
    // nft counts what the tunnel's queue drops after it, and TCP sends again.
    expect(afterDownload).toBeLessThan(enforcement === "kernel" ? 2_000_000 : 1_300_000);
    const upload = `head -c 500000 /dev/zero | curl -q --noproxy '*' -sf -m 5 --data-binary @- ${world.webUrl}`;
    await world.exec("buyer1", ["sh", "-c", upload]);
    await eventually(() => used() > afterDownload + 500_000);
    const { last_rx_counter, last_tx_counter } = market.booked(publicKey);
    expect(last_rx_counter).toBeGreaterThan(500_000);
    expect(last_tx_counter).toBeGreaterThan(1_000_000);
    if (enforcement === "daemon") expect(used()).toBe(last_rx_counter + last_tx_counter);

    market.leaveBytes(publicKey, 500_000);
    await sleep(1_500);
    expect((await market.peers()).has(publicKey)).toBe(true);
    // The kernel stops it in the midst.
    await world
      .fetchThroughTunnel({ path: "/bytes/1000000", timeoutSeconds: 3 })
      .catch(() => expect(enforcement).toBe("kernel"));
    await eventually(async () => !(await market.peers()).has(publicKey), 2_500);
    await noPage("buyer1");
    expect(market.booked(publicKey).status).toBe("expired");
    expect(market.operator.events("session-expired")).toContainEqual(
      expect.objectContaining({ cause: "data" }),
    );
  });

  it("is renewed in use: same address, no packet lost", async () => {
    const first = await market.buy();
    await market.world.bringUpBuyer(first.conf, first.buyer.wireguard.privateKey);
    const ping = await startPing(market.world, "203.0.113.10");
    const second = await market.buy({ buyer: first.buyer });
    await sleep(1_500);
    const { transmitted, received } = await ping.stop();

    expect(second.address).toBe(first.address);
    expect(second.expiresAt).toBe(first.expiresAt + 3600);
    expect(transmitted).toBeGreaterThan(10);
    expect(received).toBe(transmitted);
  });

  it("lives on while the daemon restarts: no packet lost", async () => {
    const { operator } = market;
    const { buyer, conf } = await market.buy();
    await market.world.bringUpBuyer(conf, buyer.wireguard.privateKey);
    const before = await market.peers();
    const ping = await startPing(market.world, "203.0.113.10");
    expect(await operator.stop()).toBe(0);
    expect(await market.peers()).toEqual(before);
    await operator.start();
    await sleep(1_500);
    const { transmitted, received } = await ping.stop();

    expect(transmitted).toBeGreaterThan(10);
    expect(received).toBe(transmitted);
    expect(await market.peers()).toEqual(before);
  });

  it("leaves no key and no address of a buyer in the log", async () => {
    const keys = [...(await market.peers()).keys()];
    expect(keys.length).toBeGreaterThan(3);
    const said = market.operator.output();
    for (const word of [...keys, "192.0.2.1", "cashuB", "10.66.42."]) {
      expect(said.split(word).length, word).toBe(1);
    }
  });
});
