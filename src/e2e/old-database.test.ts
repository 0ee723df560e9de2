import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Database from "better-sqlite3";
import { afterEach, describe, expect, it } from "vitest";
import { type Answer, type Buyer, createBuyer } from "../testing/buyer.ts";
import { mintToken } from "../testing/ecash.ts";
import { eventually } from "../testing/eventually.ts";
import { startMint } from "../testing/mint.ts";
import { buildOldDatabase, type OldRow } from "../testing/old-database.ts";
import { createOperator, type Operator } from "../testing/operator.ts";
import { startRelay } from "../testing/relay.ts";
import { startPing } from "../testing/running-ping.ts";
import { openTunnelMarket, soldTunnel, tunnelsMissing } from "../testing/tunnel-market.ts";

const DAY = 86_400;
const GIB = 2 ** 30;
const NOW = Math.floor(Date.now() / 1000);

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const [timed, metered, endless, twin, invoiced, gone, revoked, outside] = Array.from({ length: 8 }, () =>
  createBuyer(),
) as [Buyer, Buyer, Buyer, Buyer, Buyer, Buyer, Buyer, Buyer];

function oldRow(session_id: string, buyer: Buyer, address: string, more: Partial<OldRow> = {}): OldRow {
  return {
    session_id,
    client_identity: buyer.wireguard.publicKey,
    assigned_ip: address,
    status: "active",
    purchased_at: NOW - DAY,
    ...more,
  };
}

/** What an operator may have who sold with the known daemon until a minute ago. */
const rows: OldRow[] = [
  oldRow("timed", timed, "10.66.42.2", { expires_at: NOW + DAY, last_rx_counter: 5, last_tx_counter: 6 }),
  oldRow("metered", metered, "10.66.42.3", {
    expires_at: NOW + 20 * DAY,
    data_quota_bytes: GIB,
    data_used_bytes: 1_000,
  }),
  oldRow("endless", endless, "10.66.42.4", { data_quota_bytes: GIB, data_used_bytes: 2_000 }),
  oldRow("twin-1", twin, "10.66.42.5", { expires_at: NOW + 3_600 }),
  oldRow("twin-2", twin, "10.66.42.6", { expires_at: NOW + 7_200 }),
  oldRow("invoiced", invoiced, "10.66.42.7", {
    status: "pending",
    purchased_at: NOW - 60,
    payment_hash: "ab".repeat(32),
  }),
  oldRow("gone", gone, "10.66.42.8", { status: "expired", expires_at: NOW - 60 }),
  oldRow("gone-long", gone, "10.66.42.9", { status: "expired", expires_at: NOW - 9 * DAY }),
  oldRow("revoked", revoked, "10.66.42.10", { status: "revoked", expires_at: NOW + DAY }),
  oldRow("outside", outside, "10.77.0.5", { expires_at: NOW + DAY }),
];

function layOldDatabase({ databasePath }: Operator): void {
  mkdirSync(dirname(databasePath), { recursive: true });
  buildOldDatabase(databasePath, rows);
}

interface BookedRow {
  session_id: string;
  client_identity: string;
  assigned_ip: string;
  status: string;
  expires_at: number | null;
  data_quota_bytes: number | null;
  data_used_bytes: number;
}

function booked({ databasePath }: Operator): Map<string, BookedRow> {
  const book = new Database(databasePath, { readonly: true });
  try {
    const found = book.prepare("SELECT * FROM sessions ORDER BY session_id").all() as BookedRow[];
    return new Map(found.map((row) => [row.session_id, row]));
  } finally {
    book.close();
  }
}

/** As they were: status, address, end and quota. */
function expectKept(operator: Operator, except: readonly string[] = []): void {
  const now = booked(operator);
  for (const row of rows.filter(({ session_id }) => !except.includes(session_id))) {
    expect(now.get(row.session_id)).toMatchObject({
      assigned_ip: row.assigned_ip,
      status: row.status,
      expires_at: row.expires_at ?? null,
      data_quota_bytes: row.data_quota_bytes ?? null,
      data_used_bytes: row.data_used_bytes ?? 0,
      ...(row.status === "active" ? { client_identity: row.client_identity } : {}),
    });
  }
}

const copiesOf = ({ databasePath }: Operator) =>
  readdirSync(dirname(databasePath)).filter((name) => name.includes(".before-europa-"));

async function openMarket() {
  const relay = await startRelay();
  closing.push(() => relay.stop());
  const mint = await startMint();
  closing.push(() => mint.stop());
  const operator = await createOperator({ relays: [relay.url], mints: [mint.url] });
  closing.push(() => operator.destroy());
  const { url, publicHost, dTag, pubkey: operatorPubkey } = operator;
  return {
    operator,
    /** A purchase of one day, to be sent as often as one likes. */
    async prepare(buyer: Buyer): Promise<() => Promise<Answer>> {
      const lock = { pubkey: operator.p2pk };
      const { token } = await mintToken({ mintUrl: mint.url, amountSat: 100, lock });
      const price = { amount: 100, currency: "sat", unit: "day" } as const;
      return () => buyer.purchase({ url, publicHost, operatorPubkey, dTag, price, token });
    },
  };
}

describe("an operator's old database", () => {
  it("goes on with every running session, sells beside and to them, and stays so through restarts", async () => {
    const { operator, prepare } = await openMarket();
    layOldDatabase(operator);
    await operator.start();
    const health = await fetch(`${operator.url}/health`);
    expect([health.status, await health.json()]).toMatchObject([200, { database: "ok", wireguard: "ok" }]);
    // Timed, metered, endless, the twin's one peer, and the one outside the subnet.
    expect(operator.events("reconciled")).toMatchObject([{ added: 5, removed: 0, rejected: 0 }]);
    expect(operator.events("odd-sessions")).toMatchObject([{ unusable: 0, outsideSubnet: 1 }]);
    expectKept(operator);

    const [copy = ""] = copiesOf(operator);
    const copyPath = join(dirname(operator.databasePath), copy);
    expect(copy).toMatch(new RegExp(`^${basename(operator.databasePath)}\\.before-europa-\\d+$`));
    expect(statSync(copyPath).mode & 0o777).toBe(0o600);

    const stranger = createBuyer();
    const strangers = await prepare(stranger);
    const held = rows.filter(({ session_id }) => !["gone-long", "revoked"].includes(session_id));
    const sold = soldTunnel(stranger, await strangers());
    expect(held.map(({ assigned_ip }) => assigned_ip)).not.toContain(sold.address);

    const renewal = await prepare(timed);
    const renewed = soldTunnel(timed, await renewal());
    expect([renewed.address, renewed.expiresAt]).toEqual(["10.66.42.2", NOW + 2 * DAY]);
    const ofTwin = soldTunnel(twin, await (await prepare(twin))());
    expect([ofTwin.address, ofTwin.expiresAt]).toEqual(["10.66.42.6", NOW + 7_200 + DAY]);
    const ofEndless = soldTunnel(endless, await (await prepare(endless))());
    expect(ofEndless.address).toBe("10.66.42.4");
    const latecomer = soldTunnel(gone, await (await prepare(gone))());
    expect(latecomer.address).toBe("10.66.42.8");
    expectKept(operator, ["timed", "twin-2", "endless", "gone"]);
    expect(booked(operator).get("endless")).toMatchObject({ expires_at: null, data_quota_bytes: GIB });

    const before = booked(operator);
    for (const end of [() => operator.stop(), () => operator.kill()]) {
      await end();
      await operator.start();
      expect(booked(operator)).toEqual(before);
      expect(operator.events("reconciled").at(-1)).toMatchObject({ added: 7, removed: 0, rejected: 0 });
      expect(soldTunnel(timed, await renewal())).toEqual(renewed);
      expect(soldTunnel(stranger, await strangers())).toEqual(sold);
    }
    expect(copiesOf(operator)).toEqual([copy]);
    const copied = new Database(copyPath, { readonly: true });
    closing.push(() => copied.close());
    expect(copied.prepare("SELECT count(*) FROM sessions").pluck().get()).toBe(rows.length);
  });

  it.each([
    { what: "pages of it are overwritten", spoil: (bytes: Buffer) => bytes.fill(0xff, 8_192, 12_288) },
    { what: "it is something else", spoil: (bytes: Buffer) => bytes.fill("not a database ") },
    { what: "its end is missing", spoil: (bytes: Buffer) => bytes.subarray(0, 8_192) },
  ])("is refused in plain words and left as it is when it is damaged: $what", async ({ spoil }) => {
    const operator = await createOperator({ relays: ["ws://127.0.0.1:9"], mints: ["http://127.0.0.1:9"] });
    closing.push(() => operator.destroy());
    layOldDatabase(operator);
    const bytes = spoil(readFileSync(operator.databasePath));
    writeFileSync(operator.databasePath, bytes);
    expect(await operator.startAndWait()).toBe(1);
    const said = String(operator.events("start-failed").at(-1)?.msg);
    expect(said).toContain(`the database ${operator.databasePath} is damaged`);
    expect(said).toMatch(/put a backup in its place, or save what can be read with: sqlite3 .* \.recover/);
    expect(readFileSync(operator.databasePath).equals(bytes)).toBe(true);
    expect(copiesOf(operator)).toEqual([]);
  });
});

const noTunnels = await tunnelsMissing(Boolean(process.env.CI));

describe.skipIf(noTunnels)(
  `a takeover of running tunnels${noTunnels ? ` (skipped: ${noTunnels})` : ""}`,
  () => {
    it("touches no peer that the book knows: a running ping loses no packet, then or over a restart", async () => {
      const market = await openTunnelMarket({ tag: "e2eold", buyers: 1 });
      closing.push(() => market.destroy());
      const { operator, world } = market;
      layOldDatabase(operator);
      const wg = (...args: string[]) => world.exec("operator", ["wg", ...args]);
      const setPeer = ({ wireguard }: Buyer, ...addresses: string[]) =>
        wg("set", world.interfaceName, "peer", wireguard.publicKey, "allowed-ips", addresses.join(","));
      const stranger = createBuyer();
      await setPeer(timed, "10.66.42.2/32");
      await setPeer(metered, "10.66.42.3/32");
      await setPeer(endless, "10.66.42.4/32");
      await setPeer(twin, "10.66.42.5/32", "10.66.42.6/32");
      await setPeer(outside, "10.77.0.5/32");
      await setPeer(gone, "10.66.42.8/32");
      await setPeer(stranger, "10.66.42.99/32");
      await world.bringUpBuyer(
        `[Interface]
PrivateKey = <yours>
Address = 10.66.42.2/32

[Peer]
PublicKey = ${world.serverPublicKey}
Endpoint = ${world.endpoint}
AllowedIPs = 0.0.0.0/0
PersistentKeepalive = 25
`,
        timed.wireguard.privateKey,
      );
      const ping = await startPing(world, "203.0.113.10");
      const handshakes = () => wg("show", world.interfaceName, "latest-handshakes");
      const handshakesBefore = (await handshakes()).split("\n").sort();

      await operator.start();
      await eventually(async () => !(await market.peers()).has(gone.wireguard.publicKey));
      await sleep(1_500);
      expect(operator.events("reconciled")).toMatchObject([{ added: 0, removed: 1, rejected: 0 }]);
      await operator.stop();
      await operator.start();
      await sleep(1_500);
      const { transmitted, received } = await ping.stop();
      expect([transmitted > 30, received]).toEqual([true, transmitted]);

      expect(operator.events("reconciled")).toHaveLength(1);
      const stay = handshakesBefore.filter((line) => !line.startsWith(gone.wireguard.publicKey));
      expect((await handshakes()).split("\n").sort()).toEqual(stay);
      expectKept(operator, ["timed"]);
      expect(booked(operator).get("timed")).toMatchObject({
        assigned_ip: "10.66.42.2",
        expires_at: NOW + DAY,
      });
      const renewed = await market.buy({ buyer: timed });
      expect([renewed.address, renewed.expiresAt]).toEqual(["10.66.42.2", NOW + DAY + 3_600]);
      expect(await world.ping()).toBe(true);
      expect((await market.peers()).get(twin.wireguard.publicKey)?.split(" ").sort()).toEqual([
        "10.66.42.5/32",
        "10.66.42.6/32",
      ]);
    });
  },
);
