import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { nsecEncode } from "nostr-tools/nip19";
import { getPublicKey } from "nostr-tools/pure";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Buyer, createBuyer, type Order } from "../testing/buyer.ts";
import { encodeToken, type MintedToken, mintToken } from "../testing/ecash.ts";
import { startMint, type TestMint } from "../testing/mint.ts";
import { createOperator, type Operator } from "../testing/operator.ts";
import { orderAt } from "../testing/orders.ts";
import { startRelay, type TestRelay } from "../testing/relay.ts";

/** Rule: at no level does a log line tell who bought, what was paid with, or the operator's own secrets. */

const DAY = { amount: 100, unit: "day" } as const;
const CLIENTS = ["203.0.113.77", "2001:db8:77::77"];

let relay: TestRelay;
let mint: TestMint;
let operator: Operator;
const buyers: Buyer[] = [];
const tokens: MintedToken[] = [];
const answers: string[] = [];

beforeAll(async () => {
  relay = await startRelay();
  mint = await startMint();
  operator = await createOperator({
    relays: [relay.url],
    mints: [mint.url],
    prices: [DAY, { amount: 1, unit: "hour" }],
    subnet: "10.66.42.0/28",
    logLevel: "trace",
  });
  await operator.start();
  await useAll();
  await operator.stop();
}, 120_000);

afterAll(async () => {
  await operator.destroy();
  await mint.stop();
  await relay.stop();
});

/** Every way through a purchase, with the mint, the relay and the process failing in between. */
async function useAll(): Promise<void> {
  await askAround();
  const buyer = newBuyer();
  const token = await minted();
  expect(await buy(buyer, token)).toBe("ok");
  expect(await buy(buyer, token)).toBe("ok");
  expect(await buy(newBuyer(), token)).toBe("double-spent");
  const moved = createBuyer(buyer.nostrKey);
  buyers.push(moved);
  expect(await buy(moved, token)).toBe("ok");
  expect(await buy(moved, await minted())).toBe("ok");
  expect(await buy(newBuyer(), await minted("unlocked"))).toBe("wrong-p2pk");
  expect(await buy(newBuyer(), await minted(), { dTag: "another" })).toBe("unknown-listing");
  expect(await buy(newBuyer(), await minted(), { expiresInSeconds: -5 })).toBe("expired-auth");
  expect(await buy(newBuyer(), undefined)).toBe("payment-required");
  const garbled = await minted();
  expect(await buy(newBuyer(), { ...garbled, token: garbled.token.slice(0, 200) })).toBe("invalid-token");
  expect(await buy(newBuyer(), await minted(), { body: '{"protocol":"wireguard",' })).toBe("bad-request");
  expect(await buy(newBuyer(), forged(await minted()))).toBe("invalid-token");

  mint.failNext("/v1/swap", { kind: "drop-after" });
  expect(await buy(newBuyer(), await minted())).toBe("ok");
  mint.failNext("/v1/swap", { kind: "status", status: 502 });
  expect(await buy(newBuyer(), await minted())).toBe("ok");
  mint.failNext("/v1/swap", { kind: "refuse", code: 11005, detail: "transaction is not balanced" });
  answers.push(await buy(newBuyer(), await minted()));
  // A mint that repeats what it was sent in its refusal.
  const echoed = await minted();
  mint.failNext("/v1/swap", { kind: "refuse", code: 11005, detail: JSON.stringify(echoed.proofs) });
  answers.push(await buy(newBuyer(), echoed));

  relay.policy = () => ({ refuse: "blocked: not today" });
  expect(await buy(newBuyer(), await minted())).toBe("ok");
  await operator.kill();
  relay.policy = () => "accept";
  await operator.start();
  expect(await buy(moved, token)).toBe("ok");
  for (let full = 0; full < 12; full++) answers.push(await buy(newBuyer(), await minted()));
  expect(answers).toContain("no-ip-available");
  await relay.stop();
  expect(await buy(moved, await minted())).toBe("ok");
  await relay.start();
  mint.failNext("/v1/swap", { kind: "flawed", flaw: "invalid-signature" });
  answers.push(await buy(moved, await minted()));
}

function newBuyer(): Buyer {
  const buyer = createBuyer();
  buyers.push(buyer);
  return buyer;
}

async function minted(lock: "locked" | "unlocked" = "locked"): Promise<MintedToken> {
  const made = await mintToken({
    mintUrl: mint.url,
    amountSat: 100,
    ...(lock === "locked" ? { lock: { pubkey: operator.p2pk } } : {}),
  });
  tokens.push(made);
  return made;
}

/** A mint's signature that is not its own: found by its proof (NUT-12). */
function forged({ proofs }: MintedToken): MintedToken {
  const [first, second] = proofs;
  if (!first || !second) throw new Error("two proofs are needed");
  const swapped = [{ ...first, C: second.C }, ...proofs.slice(1)];
  const made = { token: encodeToken(swapped, mint.url), proofs: swapped };
  tokens.push(made);
  return made;
}

let requests = 0;

async function buy(buyer: Buyer, token: MintedToken | undefined, more: Partial<Order> = {}): Promise<string> {
  const client = CLIENTS[requests++ % CLIENTS.length] ?? "";
  const order = orderAt(operator, DAY, {
    ...(token ? { token: token.token } : {}),
    ...more,
    headers: { "x-forwarded-for": client },
  });
  const { body } = await buyer.purchase(order);
  return body.reason ?? body.status ?? "";
}

async function askAround(): Promise<void> {
  for (const path of ["/info", "/health", "/nowhere?key=abc", "/lnurlp?p=1", "/%c3%28"]) {
    const headers = { "x-forwarded-for": CLIENTS[0] ?? "", cookie: "session=cookiesecret" };
    await fetch(operator.url + path, { headers });
  }
}

/** Everything that must not be told, by what it is. */
function secrets(): [string, string][] {
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
  const named: [string, string][] = [
    ["the operator's nsec, hex", operator.nsecHex],
    ["the operator's nsec", nsecEncode(Buffer.from(operator.nsecHex, "hex"))],
    ["the operator's nsec as bytes", Buffer.from(operator.nsecHex, "hex").join(",")],
    ["the operator's P2PK private key", operator.p2pkPrivkeyHex],
    ["a path that was asked for", "nowhere"],
    ["a cookie", "cookiesecret"],
  ];
  for (const client of CLIENTS) named.push(["a client's address", client]);
  for (const buyer of buyers) {
    named.push(["a buyer's Nostr key", getPublicKey(buyer.nostrKey)]);
    named.push(["a buyer's Nostr private key", hex(buyer.nostrKey)]);
    named.push(["a buyer's WireGuard key", buyer.wireguard.publicKey]);
    named.push(["a buyer's WireGuard key, hex", hex(Buffer.from(buyer.wireguard.publicKey, "base64"))]);
  }
  for (const { token, proofs } of tokens) {
    named.push(["a token", token], ["a token's beginning", token.slice(0, 150)]);
    for (const proof of proofs) {
      named.push(["a proof's secret", proof.secret], ["a proof's signature", proof.C]);
      named.push(["a proof's nonce", /"nonce":"([^"]+)"/.exec(proof.secret)?.[1] ?? proof.secret]);
    }
  }
  return named;
}

it("tells none of it in what the daemon printed at level trace", () => {
  const printed = operator.output();
  expect(operator.events("purchase-granted").length).toBeGreaterThan(5);
  expect(operator.events("shutting-down")).toHaveLength(1);
  expect(buyers.length).toBeGreaterThan(10);
  const told = secrets().filter(
    ([, secret]) => printed.includes(secret) || printed.includes(JSON.stringify(secret).slice(1, -1)),
  );
  expect(told.map(([what]) => what)).toEqual([]);
});

it("prints one JSON object a line, and names the event in each", () => {
  for (const line of operator.output().trimEnd().split("\n")) {
    expect(JSON.parse(line)).toMatchObject({ event: expect.any(String), level: expect.any(String) });
  }
});

it("says that purchases were refused and why, never who", () => {
  const refused = operator.events("purchase-refused");
  const reasons = new Set(refused.map((line) => line.reason));
  for (const reason of [
    "wrong-p2pk",
    "unknown-listing",
    "expired-auth",
    "invalid-token",
    "no-ip-available",
  ]) {
    expect([...reasons]).toContain(reason);
  }
});

it("keeps what is on disk for the operator alone", () => {
  const data = join(operator.folder, "data");
  expect((statSync(data).mode & 0o777).toString(8)).toBe("700");
  for (const name of readdirSync(data)) {
    expect(`${name} ${(statSync(join(data, name)).mode & 0o777).toString(8)}`).toBe(`${name} 600`);
  }
});

it("keeps no client's address and no buyer's Nostr key on disk", () => {
  const data = join(operator.folder, "data");
  const bytes = readdirSync(data).map((name) => readFileSync(join(data, name)));
  const unkept = [...CLIENTS, ...buyers.map((buyer) => getPublicKey(buyer.nostrKey))];
  for (const secret of unkept) expect(bytes.some((file) => file.includes(secret))).toBe(false);
});

it.each([
  ["an exception", "throw error"],
  ["a rejection", "Promise.reject(error)"],
])(
  "ends with 1 for %s that nothing catches, and prints nothing that the error holds",
  async (_name, raise) => {
    const crashing = await createOperator({ relays: [relay.url], mints: [mint.url] });
    try {
      const preload = join(crashing.folder, "fault.cjs");
      const error = `Object.assign(new TypeError("it holds message-secret"), { signer: { key: "property-secret" } })`;
      writeFileSync(preload, `setTimeout(() => { const error = ${error}; ${raise}; }, 1000);`);
      crashing.writeConfig({ preload });
      const { exitCode, stdout, stderr } = await crashing.command([]);
      expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: "" });
      expect(JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "")).toMatchObject({
        level: "fatal",
        event: "crashed",
        error: "TypeError",
        stack: expect.arrayContaining([expect.stringContaining("fault.cjs")]),
      });
      expect(stdout).not.toContain("-secret");
    } finally {
      await crashing.destroy();
    }
  },
);
