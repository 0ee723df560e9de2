import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findListings } from "../testing/buyer.ts";
import { eventually } from "../testing/eventually.ts";
import { startLndServer } from "../testing/lightning/lnd-server.ts";
import { startPhoenixdServer } from "../testing/lightning/phoenixd-server.ts";
import { operatorHostMissing } from "../testing/operator-host.ts";
import { browses, buyForEcash, orderInvoice } from "../testing/reader/buyers.ts";
import { readDocument } from "../testing/reader/command-blocks.ts";
import { openReaderWorld, PUBLIC_HOST, type ReaderWorld } from "../testing/reader/reader-world.ts";
import { openReading } from "../testing/reader/reading.ts";
import { toolsMissing } from "../testing/tools.ts";

const inCi = Boolean(process.env.CI);
const missing =
  (await operatorHostMissing(inCi)) ??
  toolsMissing(["caddy", "unshare", "nsenter", "sqlite3", "xxd", "age"], inCi);

/** As the log has it; bootstrap.sh says a part of it. */
const PUBLISHED = '"event":"listing-published","status"';
/** What the reader's second shell needs to know. */
const COMMAND = `export EUROPA_NODE_CONFIG="$PWD/config/config.toml"; europa-node() { node dist/index.cjs "$@"; }`;

describe.skipIf(missing)(`the documents on a host${missing ? ` (skipped: ${missing})` : ""}`, () => {
  const reading = openReading("host");
  const readme = (beginning: string, instead = {}) => reading.block("README.md", beginning, instead);
  const operations = (beginning: string, instead = {}) =>
    reading.block("docs/operations.md", beginning, instead);
  let world: ReaderWorld;
  let type: ReaderWorld["machine"]["type"];
  const beside = (lines: string) => world.machine.typeBeside(`${COMMAND}\n${lines}`);
  const listing = async () => {
    const [found] = await findListings(world.relay.url);
    if (found === undefined) throw new Error("no listing on the relay");
    return found;
  };

  beforeAll(async () => {
    world = await openReaderWorld("read");
    type = world.machine.type;
  }, 120_000);
  afterAll(() => world?.destroy(), 60_000);

  it("a first real start ends with a tunnel that was found, paid for and used", async () => {
    await type(readme("apt-get update"));
    const { relay, mint } = world;
    const answers = [PUBLIC_HOST, "My tunnels", "DE-BE", "", "", "", mint.url, relay.url, "", "", ""];
    await type(readme("sh scripts/bootstrap.sh --for host"), answers);
    await type(readme("sh scripts/wg-up.sh"));
    await type(readme("install -m 644 Caddyfile", { "vpn.example.com": PUBLIC_HOST }));
    await world.machine.typeUntil(readme("npx -y pnpm@10.34.9 install"), PUBLISHED);
    const found = await listing();
    expect(found.listing).toMatchObject({ title: "My tunnels", status: "active" });
    const { conf, buyer } = await buyForEcash(world, found);
    await world.host.bringUpClient("buyer1", conf, buyer.wireguard.privateKey);
    await eventually(() => browses(world), 60_000);
  }, 600_000);

  it("doctor looks at it from here, and curl from elsewhere", async () => {
    const blocks = [
      readme("node dist/index.cjs doctor"),
      reading.block("docs/doctor.md", "europa-node doctor"),
    ];
    // The tests' relay and mint are no https: there is something to find.
    for (const doctor of blocks) expect(await beside(`${doctor} || [ $? = 1 ]`)).toMatch(/ok +daemon/);
    const curl = reading.block("docs/doctor.md", "curl -i", { "vpn.example.com": PUBLIC_HOST });
    expect(await world.typeAsBuyer("buyer2", curl)).toContain('"endpoint":"vpn.local"');
  }, 120_000);

  it("books and wallet say what the operations page shows", async () => {
    const books = () => beside(operations("europa-node books"));
    await eventually(async () => (await books().catch(() => "")).includes("The books balance."), 60_000);
    await beside(operations("sqlite3 -readonly -box", { "/var/lib/europa-node/": "data/" }));
    expect(await beside(operations("europa-node wallet republish"))).toContain(
      "Every relay holds the whole wallet",
    );
  }, 120_000);

  it("rules for an exit leave tunnels as they are", async () => {
    await beside(reading.block("docs/running-an-exit.md", "nft add table"));
    expect(await browses(world)).toBe(true);
  });

  it("lnd's files are put where README says, and lnd tells of a payment", async () => {
    const node = await startLndServer();
    try {
      await world.bringPort(node.port, 8180);
      const macaroon = "~/.lnd/data/chain/bitcoin/mainnet/invoice.macaroon";
      await world.machine.write(`${macaroon}.hex`, node.macaroonHex);
      await beside(`xxd -r -p ${macaroon}.hex ${macaroon}`);
      await world.machine.write("~/.lnd/tls.cert", node.certificate);
      await beside(readme("install -D -m 600 ~/.lnd/"));
      const hash = node.addForeign("a tunnel", 1000);
      expect(await beside(operations("curl --cacert", { "<hash>": hash }))).toContain('"state":"OPEN"');
    } finally {
      await node.close();
    }
  });

  it("phoenixd sells with the config that README shows, and its payments are found", async () => {
    const node = await startPhoenixdServer({ password: "the-limited-one" });
    try {
      await world.bringPort(Number(new URL(node.url).port), 9740);
      await world.machine.interrupt();
      await world.machine.write(
        "~/.phoenix/phoenix.conf",
        "http-password=all\nhttp-password-limited-access=the-limited-one\n",
      );
      await type(readme("sed -n"));
      await world.machine.write("config/config.toml", withLightning(await beside("cat config/config.toml")));
      await world.machine.typeUntil("node dist/index.cjs check-config && node dist/index.cjs", PUBLISHED);
      expect(await beside(readme("node dist/index.cjs lnurl"))).toContain("lightning:lnurl1");
      await eventually(async () => (await listing()).listing.paymentMethods.length === 2, 60_000);

      const { paymentHash, verifyUrl } = await orderInvoice(world, await listing());
      node.pay(paymentHash);
      const preimage = async () =>
        ((await world.ask("buyer2", verifyUrl)).body as { preimage: string | null }).preimage;
      await eventually(async () => (await preimage()) !== null, 60_000);
      const named = { "<hash>": paymentHash };
      const granted = { ...named, "/var/lib/europa-node/": "data/" };
      expect(await beside(operations("printf %s <preimage>", { "<preimage>": await preimage() }))).toContain(
        paymentHash,
      );
      const row = () => beside(operations("sqlite3 -readonly -line", granted));
      await eventually(async () => (await row()).includes("state = granted"), 60_000);
      expect(await beside(operations("curl -u", named))).toMatch(/"isPaid": *true/);
    } finally {
      await node.close();
    }
  }, 300_000);

  it("changed keys come into force as the operations page says, and the money stays", async () => {
    await world.machine.interrupt();
    await replaceKey(operations("mv secrets/p2pk"), "p2pk");
    await replaceKey(operations("mv secrets/wg-server.key"), "server_pubkey");
    await type("wg-quick down wg0; wg-quick up wg0");
    const former = (await listing()).operatorPubkey;
    await world.machine.typeUntil(operations("mv secrets/nsec"), PUBLISHED);
    const found = (await findListings(world.relay.url)).find(
      ({ operatorPubkey }) => operatorPubkey !== former,
    );
    expect(found?.listing).toMatchObject({ title: "My tunnels", status: "active" });
    // All of it is in the new account's wallet.
    const inWallet = async () =>
      / 100 +0 +0 +0 +100 +0 +0$/m.test(await beside(operations("europa-node books")).catch(() => ""));
    await eventually(inWallet, 60_000);
    await world.machine.interrupt();
  }, 300_000);

  it("a backup opens with age, and a host that lost everything goes on from it", async () => {
    const backup = (beginning: string, instead = {}) => reading.block("docs/backup.md", beginning, instead);
    const files = { "today.age": "/root/today.age", "key.txt": "/root/key.txt" };
    await world.machine.typeUntil("node dist/index.cjs", PUBLISHED);
    await beside("age-keygen -o /root/key.txt");
    const recipient = (await beside("age-keygen -y /root/key.txt")).trim();
    await beside(backup("europa-node backup", { "age1…": recipient }));
    await beside(`mkdir /root/opened; cd /root/opened; ${backup("age -d", files)}; test -s book.db`);
    await world.machine.interrupt();
    await type("mkdir ../lost; mv config secrets data /etc/europa-node ../lost");
    await beside(backup("europa-node restore today.age", files));
    await world.machine.typeUntil("node dist/index.cjs", '"event":"listening"');
    await beside(`(${backup("europa-node restore --report")}) || [ $? = 2 ]`);
    await eventually(async () => (await listing()).listing.status === "active", 180_000);
    await world.machine.interrupt();
  }, 600_000);

  it("types all that is listed for it", () => expect(reading.left()).toEqual([]));

  /** bootstrap.sh ends with 1 and says what to write. */
  async function replaceKey(block: string, key: string): Promise<void> {
    const said = await type(`! {\n${block}\n}`);
    const value = new RegExp(`write ${key} = "([^"]+)"`).exec(said)?.[1];
    expect(value).toBeDefined();
    await type(`sed -i 's|^${key} = .*|${key} = "${value}"|' config/config.toml`);
  }
});

/** The config with the lines of README's chapter in the place of its own. */
function withLightning(config: string): string {
  const lines = /```toml\n(\[lightning\].*?)```/s.exec(readDocument("README.md"))?.[1] ?? "";
  const [section = "", method = ""] = lines.split(/(?=^\[\[listing\.payment_methods\]\])/m);
  return `${config.replace(/^\[lightning\]\n.*?(?=^\[cashu\])/ms, `${section}\n`)}\n${method}`;
}
