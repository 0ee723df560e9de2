import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findListings } from "../testing/buyer.ts";
import { eventually } from "../testing/eventually.ts";
import { operatorHostMissing } from "../testing/operator-host.ts";
import { openReaderWorld, PUBLIC_HOST, type ReaderWorld } from "../testing/reader/reader-world.ts";
import { openReading } from "../testing/reader/reading.ts";
import { toolsMissing } from "../testing/tools.ts";

const inCi = Boolean(process.env.CI);
const missing =
  (await operatorHostMissing(inCi)) ??
  toolsMissing(["unshare", "nsenter", "setpriv", "runuser", "useradd", "sqlite3"], inCi);

/** As the table of the operations page has it. */
const COMMAND = 'europa-node() { runuser -u europa-node -- node /opt/europa-node/dist/index.cjs "$@"; }';

describe.skipIf(missing)(`the documents with a service${missing ? ` (skipped: ${missing})` : ""}`, () => {
  const reading = openReading("service");
  const operations = (beginning: string, instead = {}) =>
    reading.block("docs/operations.md", beginning, instead);
  let world: ReaderWorld;
  let type: ReaderWorld["machine"]["type"];
  const log = () => world.machine.typeBeside("cat /run/reader/europa-node.log");
  const listens = () => eventually(async () => (await log()).includes('"event":"listening"'), 90_000);
  const check = () => type(`${COMMAND}\neuropa-node check-config`);

  beforeAll(async () => {
    world = await openReaderWorld("readsvc");
    type = world.machine.type;
  }, 120_000);
  afterAll(() => world?.destroy(), 60_000);

  it("the unit of README runs, as its own user, and publishes", async () => {
    const { relay, mint } = world;
    await type(
      `PUBLIC_HOST=${PUBLIC_HOST} MINTS=${mint.url} RELAYS=${relay.url} sh scripts/bootstrap.sh --yes\nsh scripts/wg-up.sh`,
    );
    await type("npx -y pnpm@10.34.9 install\nnpx -y pnpm@10.34.9 build");
    await type(reading.block("README.md", "useradd"));
    await listens();
    await check();
    await eventually(async () => (await findListings(relay.url)).length === 1, 60_000);
    expect(await type("ps -o user= -C node | sort -u")).toContain("europa");
  }, 600_000);

  it("trouble is seen as the incidents page says", async () => {
    const seen = () => world.machine.typeBeside(reading.block("docs/incidents.md", "journalctl"));
    expect(await type(reading.block("docs/incidents.md", "df -h"))).toContain("Use%");
    await type("wg-quick down wg0");
    await eventually(async () => (await seen().catch(() => "")).includes("wireguard-trouble"), 60_000);
    await type("wg-quick up wg0");
  }, 120_000);

  it("an upgrade ends with a daemon that listens again", async () => {
    await type(operations("git pull\n"));
    await listens();
  }, 600_000);

  it("a copy of the database can be started from, and so can what SQLite recovers", async () => {
    await type(operations("(umask 077; sqlite3"));
    const sound = (path: string) => type(`[ "$(sqlite3 ${path} 'PRAGMA quick_check')" = ok ]`);
    await sound("/root/sessions-backup.db");
    await type(reading.block("docs/incidents.md", "sqlite3"));
    await sound("/root/recovered.db");
    const former = "/var/lib/europa-node/sessions.db.before-europa-1800000000";
    await type(`install -o europa-node -g europa-node -m 600 /root/sessions-backup.db ${former}`);
    await type("systemctl stop europa-node");
    await type(`(${operations("cd /var/lib/europa-node", { "<unix time>": "1800000000" })})`);
    await type("systemctl start europa-node");
    await listens();
  }, 300_000);

  it("moves to another host, and listens there", async () => {
    await type(operations("systemctl stop europa-node"));
    await type("wg-quick down wg0; rm -rf secrets /etc/europa-node/* /var/lib/europa-node /etc/wireguard");
    await type(operations("tar -xpf"));
    await listens();
    await check();
    expect(await log()).not.toContain('"created":true');
  }, 300_000);

  it("types all that is listed for it", () => expect(reading.left()).toEqual([]));
});
