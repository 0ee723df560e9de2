import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { finalizeEvent } from "nostr-tools/pure";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { LISTING_KIND } from "../protocol/marketplace.ts";
import { type Fault, findingsOf, proveFault } from "../testing/doctor-faults.ts";
import { type DoctorHost, openDoctorHost } from "../testing/doctor-host.ts";
import { eventually } from "../testing/eventually.ts";
import { type PhoenixdServer, startPhoenixdServer } from "../testing/lightning/phoenixd-server.ts";
import { operatorHostMissing } from "../testing/operator-host.ts";
import { mountSmallDisk, type SmallDisk } from "../testing/small-disk.ts";
import { toolsMissing } from "../testing/tools.ts";
import { TOKEN_KIND, WALLET_KIND } from "../wallet/codec.ts";

const inCi = Boolean(process.env.CI);
const missing = (await operatorHostMissing(inCi)) ?? toolsMissing(["caddy"], inCi);
const PASSWORD = "limited-access-password";
const ANOTHER_KEY = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";

describe.skipIf(missing !== undefined)(`doctor: market${missing ? ` (skipped: ${missing})` : ""}`, () => {
  let at: DoctorHost;
  let phoenixd: PhoenixdServer;
  let disk: SmallDisk;

  beforeAll(async () => {
    at = await openDoctorHost("drmkt");
    phoenixd = await startPhoenixdServer({ password: PASSWORD, host: at.hostAddress });
    disk = mountSmallDisk(dirname(at.operator.databasePath), 600);
    at.operator.writeConfig({ lightning: node(PASSWORD) });
    await at.operator.start();
    await at.operator.waitForEvent("listing-published");
  });
  afterAll(async () => {
    await at?.operator.kill();
    disk?.unmount();
    await phoenixd?.close();
    await at?.destroy();
  });

  const node = (apiToken: string) => ({ backend: "phoenixd" as const, baseUrl: phoenixd.url, apiToken });
  const relays = () => [at.relay, at.otherRelay];
  const well = () => {
    for (const relay of relays()) relay.policy = () => "accept";
  };

  /** The doctor's own probe brings the listing back, and shows it from the next look on. */
  async function refilled(): Promise<void> {
    well();
    await at.look();
  }

  async function restart(): Promise<void> {
    const published = at.operator.events("listing-published").length;
    await at.operator.stop();
    await at.operator.start();
    await at.operator.waitForEvent("listing-published", 20_000, published);
  }

  /** The listing, signed by the operator with these tags in the place of its own, a second after it. */
  async function publishListing(change: (tags: string[][]) => string[][]): Promise<void> {
    const own = at.relay.events().find(({ kind }) => kind === LISTING_KIND);
    if (own === undefined) throw new Error("there is no listing to change");
    const { kind, content, created_at, tags } = own;
    const changed = { kind, content, created_at: created_at + 1, tags: change(structuredClone(tags)) };
    const event = finalizeEvent(changed, Buffer.from(at.operator.nsecHex, "hex"));
    for (const relay of relays()) await sendTo(relay.url, event);
  }

  const cashuTag = (change: (tag: string[]) => string[]) =>
    publishListing((tags) => tags.map((tag) => (tag[1] === "cashu" ? change(tag) : tag)));

  const faults: Fault[] = [
    {
      title: "a relay is down",
      check: "relay-read",
      status: "fail",
      seen: /does not answer: /,
      put: () => at.otherRelay.stop(),
      mendSays: /name another one than ws:\/\/.* in nostr\.relays/,
      mend: () => at.otherRelay.start(),
    },
    {
      title: "a relay answers nothing",
      check: "relay-read",
      status: "fail",
      seen: /does not answer: no answer/,
      put: () => {
        at.otherRelay.mute = true;
      },
      mend: () => {
        at.otherRelay.mute = false;
      },
    },
    {
      title: "a relay refuses the listing",
      check: "relay-write",
      status: "fail",
      seen: /refuses the listing as it stands: "blocked: no adverts"/,
      put: () => {
        at.otherRelay.policy = ({ kind }) =>
          kind === LISTING_KIND ? { refuse: "blocked: no adverts" } : "accept";
      },
      mend: well,
    },
    {
      title: "a relay takes writes and never says so",
      check: "relay-write",
      status: "fail",
      seen: /says nothing to the listing as it stands: no answer/,
      put: () => {
        at.otherRelay.policy = () => "hang";
      },
      mend: well,
    },
    {
      title: "a relay has lost the listing",
      check: "listing",
      status: "fail",
      seen: /has no listing test-tunnels of this operator/,
      put: () => emptied(at.otherRelay, [LISTING_KIND]),
      mendSays: /see relay-write/,
      mend: refilled,
    },
    {
      title: "a relay does not take the wallet",
      check: "write-policy",
      status: "warn",
      seen: /does not take kind 17375 \("blocked: kind"\)/,
      put: () => emptied(at.otherRelay, [WALLET_KIND, TOKEN_KIND]),
      mend: well,
    },
    {
      title: "a relay shows a former listing",
      check: "listing",
      status: "warn",
      seen: /shows a former listing/,
      async put() {
        at.otherRelay.policy = ({ kind }) => (kind === LISTING_KIND ? { refuse: "error: full" } : "accept");
        await publishListing((tags) => tags);
      },
      mendSays: /see relay-write/,
      mend: refilled,
    },
    {
      title: "the listing cannot be read",
      check: "listing-shape",
      status: "fail",
      seen: /do not read the listing \(no-price\)/,
      put: () => publishListing((tags) => tags.filter(([name]) => name !== "price")),
      mend: restart,
    },
    {
      title: "the listing says sold",
      check: "listing-shape",
      status: "warn",
      seen: /says sold/,
      put: () => publishListing((tags) => [...tags, ["status", "sold"]]),
      mend: restart,
    },
    {
      title: "the listing has no Cashu method",
      check: "cashu-method",
      status: "fail",
      seen: /offers no payment by ecash/,
      put: () => publishListing((tags) => tags.filter((tag) => tag[1] !== "cashu")),
      mend: restart,
    },
    {
      title: "the listing sends buyers elsewhere",
      check: "endpoint-url",
      status: "fail",
      seen: /buyers are sent to http:\/\/vpn\.example\.com\/purchase, which is not https/,
      put: () => cashuTag((tag) => [...tag.slice(0, 4), "http://vpn.example.com/purchase"]),
      mend: restart,
    },
    {
      title: "the listing's p2pk is no key",
      check: "p2pk",
      status: "fail",
      seen: /is no key of 66 hex/,
      put: () => cashuTag((tag) => tag.with(3, "npub1oops")),
      mend: restart,
    },
    {
      title: "the listing's p2pk is another's key",
      check: "p2pk",
      status: "fail",
      seen: /is not this daemon's/,
      put: () => cashuTag((tag) => tag.with(3, `02${ANOTHER_KEY}`)),
      mend: restart,
    },
    {
      title: "/info and the listing differ",
      check: "info-listing",
      status: "fail",
      seen: /differ in prices/,
      put: () => publishListing((tags) => tags.map((tag) => (tag[0] === "price" ? tag.with(1, "9") : tag))),
      mend: restart,
    },
    {
      title: "a mint is down",
      check: "mint",
      status: "fail",
      seen: /not reached \(ECONNREFUSED\)/,
      put: () => at.mint.stop(),
      mendSays: /curl -i http:.*\/v1\/keysets$/,
      mend: () => at.mint.start(),
    },
    {
      title: "the clock is wrong",
      check: "clock",
      status: "fail",
      seen: /the clock is (59\d|60\d) s ahead, as 3 of relays and mints have it/,
      put: () => at.operator.writeConfig({ preload: shiftedClock(600), lightning: node(PASSWORD) }),
      mendSays: /timedatectl set-ntp true$/,
      mend: () => at.operator.writeConfig({ preload: "", lightning: node(PASSWORD) }),
    },
    {
      title: "the Lightning node does not answer",
      check: "lightning",
      status: "fail",
      seen: /phoenixd is not reached \(ECONNREFUSED\)/,
      put: () => phoenixd.down(),
      mendSays: /is lightning\.base_url right/,
      mend: () => phoenixd.up(),
    },
    {
      title: "the Lightning node refuses the password",
      check: "lightning",
      status: "fail",
      seen: /phoenixd refuses the password/,
      put: () => at.operator.writeConfig({ lightning: node("wrong") }),
      mendSays: /http-password-limited-access/,
      mend: () => at.operator.writeConfig({ lightning: node(PASSWORD) }),
    },
    {
      title: "the Lightning node cannot receive",
      check: "lightning-liquidity",
      status: "warn",
      seen: /can receive 0 sat, and the cheapest tier is 10/,
      put: () => {
        phoenixd.inboundSat = 0;
      },
      mendSays: /open a channel/,
      mend: () => {
        phoenixd.inboundSat = 50_000;
      },
    },
    {
      title: "the disk is nearly full",
      check: "disk",
      status: "fail",
      seen: /and below 8 nothing is sold/,
      put: () => disk.fill(4 * 2 ** 20),
      mendSays: /du -xh .* \| sort -h \| tail$/,
      mend: () => disk.makeRoom(),
    },
    {
      title: "no relay has the wallet",
      check: "wallet",
      status: "fail",
      seen: /no relay that answers has the wallet/,
      put: () => Promise.all(relays().map((relay) => emptied(relay, [WALLET_KIND]))),
      mendSays: /europa-node wallet republish$/,
      async mend() {
        well();
        await at.operator.command(["wallet", "republish"], 60_000);
      },
    },
    {
      title: "the database is damaged",
      check: "database",
      status: "fail",
      seen: /is damaged \(SQLITE_NOTADB\)/,
      async put() {
        await at.operator.stop();
        await at.onHost(`mv ${at.operator.databasePath} ${at.operator.databasePath}.whole`);
        writeFileSync(at.operator.databasePath, "no database ".repeat(400), { mode: 0o600 });
      },
      mendSays: /put a backup in its place/,
      async mend() {
        await at.onHost(`mv ${at.operator.databasePath}.whole ${at.operator.databasePath}`);
        await at.operator.start();
      },
    },
  ];

  /** The relay forgets these kinds, and takes no more of them. */
  async function emptied(relay: DoctorHost["relay"], kinds: number[]): Promise<void> {
    relay.forget(({ kind }) => kinds.includes(kind));
    relay.policy = ({ kind }) => (kinds.includes(kind) ? { refuse: "blocked: kind" } : "accept");
  }

  function shiftedClock(seconds: number): string {
    const path = join(at.operator.folder, "shifted-clock.cjs");
    writeFileSync(path, `const now = Date.now; Date.now = () => now() + ${seconds * 1000};\n`);
    return path;
  }

  it.each(faults.map((fault) => [fault.title, fault] as const))("%s", (_title, fault) =>
    proveFault(fault, at),
  );

  it("sends relays nothing new, once there is a listing", async () => {
    const before = relays().map((relay) => relay.events().map(({ id }) => id));
    await at.look();
    expect(relays().map((relay) => relay.events().map(({ id }) => id))).toEqual(before);
  });

  it("tells no secret, in words or as JSON", async () => {
    for (const args of [[], ["--json"]]) {
      const { stdout, stderr } = await at.doctor(args);
      const { nsecHex, p2pkPrivkeyHex, serverKeys } = at.operator;
      for (const secret of [nsecHex, p2pkPrivkeyHex, serverKeys.privateKey, PASSWORD]) {
        expect(stdout + stderr).not.toContain(secret);
      }
    }
    await eventually(async () => findingsOf("daemon", await at.look())[0]?.status === "ok");
  });
});

async function sendTo(url: string, event: object): Promise<void> {
  const socket = new WebSocket(url);
  await once(socket, "open");
  socket.send(JSON.stringify(["EVENT", event]));
  await once(socket, "message");
  socket.close();
}
