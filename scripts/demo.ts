import "websocket-polyfill";
import { renderUnicodeCompact } from "uqr";
import type { Listing } from "../src/protocol/listing.ts";
import { encodeLnurl } from "../src/protocol/lnurl.ts";
import type { Price } from "../src/protocol/price.ts";
import { createBuyer, findListings } from "../src/testing/buyer.ts";
import { mintToken } from "../src/testing/ecash.ts";
import { requestFromWallet } from "../src/testing/wallet.ts";
import { buildStage, type Stage } from "./demo/stage.ts";
import "./build.ts";

const OLDEST_NODE = 20;

/** The main job on embedded defaults: an operator comes up, a stranger finds him, pays, and is served. */
async function demo(stage: Stage): Promise<void> {
  const { relay, mint, operator } = stage;
  say(`relay    ${relay.url}`);
  say(`mint     ${mint.url}`);
  await step("the operator's daemon starts and publishes its listing", async () => {
    await operator.start();
    await operator.waitForEvent("listing-published");
  });
  say(`daemon   ${operator.url}   config ${operator.configPath}`);

  const { listing, operatorPubkey } = await step("a buyer finds the listing on the relay", async () =>
    one(await findListings(relay.url)),
  );
  const method = one(listing.paymentMethods.filter((candidate) => candidate.type === "cashu"));
  const price = one(listing.prices.filter(({ unit }) => unit === "day"));
  say(`         "${listing.title}": ${price.amount} ${price.currency} a ${price.unit}, mint ${method.mint}`);

  const purchaseUrl = method.endpoint ?? `${operator.url}/purchase`;
  const info = await step("reads what the daemon says of itself", async () => {
    const response = await fetch(new URL("/info", purchaseUrl));
    return (await response.json()) as { endpoint: string; version: string };
  });
  say(`         europa-node ${info.version} at ${info.endpoint}`);

  const { token } = await step("gets ecash from the mint, locked to the operator", () =>
    mintToken({ mintUrl: method.mint, amountSat: price.amount, lock: { pubkey: method.p2pk } }),
  );
  const buyer = createBuyer();
  const answer = await step("buys a day with it", () =>
    buyer.purchase({
      url: purchaseUrl,
      publicHost: info.endpoint,
      operatorPubkey,
      dTag: listing.dTag,
      price,
      token,
    }),
  );
  const { config } = answer.body;
  if (answer.status !== 200 || config === undefined) throw new Error(`refused: ${answer.body.reason}`);
  const filledIn = config
    .replace("<PASTE YOUR OWN PRIVATE KEY HERE>", buyer.wireguard.privateKey)
    .replace(/^#.*\n+/gm, "");
  console.log(`\n${config}`);
  console.log(
    `The same for a phone, with the buyer's own key filled in by himself:\n${renderUnicodeCompact(filledIn)}\n`,
  );

  await useTunnel(stage, config, buyer.wireguard.privateKey);
  await buyOverLightning(listing, price);
}

async function useTunnel({ world }: Stage, config: string, privateKey: string): Promise<void> {
  if ("missing" in world) {
    say(`no packet goes through a tunnel here: ${world.missing}`);
    return;
  }
  await world.bringUpBuyer(config, privateKey);
  const page = await step("fetches a page through the tunnel", () => world.fetchThroughTunnel());
  say(`         ${world.webUrl} said: ${page.trim()}`);
}

/** Another buyer, with nothing but a wallet that knows LNURL-pay and has a comment field. */
async function buyOverLightning(listing: Listing, price: Price): Promise<void> {
  const { endpoint } = one(listing.paymentMethods.filter((method) => method.type === "lightning"));
  const payUrl = `${endpoint}?p=${price.unit}`;
  const { publicKey } = createBuyer().wireguard;
  say(`another buyer's wallet scans ${encodeLnurl(payUrl)}`);
  const invoice = await step(
    "asks for an invoice, its WireGuard key for a comment; amount and hash are right",
    () => requestFromWallet(payUrl, price.amount, publicKey),
  );
  say(`         ${invoice.bolt11.slice(0, 60)}…`);
  const preimage = await step("pays it (the operator's node is a stub that pays itself)", () =>
    invoice.waitUntilSettled(),
  );
  say(`         opens the success action: ${invoice.decipher(preimage)?.slice(0, 60)}…`);
  const answer = await step("claims the .conf with the preimage", () =>
    fetch(new URL(`/lnurlp/config/${invoice.paymentHash}`, endpoint), {
      headers: { authorization: `Preimage ${preimage}` },
    }),
  );
  const { config } = (await answer.json()) as { config?: string };
  if (config === undefined) throw new Error(`the paid tunnel did not come up: ${answer.status}`);
  console.log(`\n${config}`);
}

const started = performance.now();

async function step<T>(what: string, run: () => Promise<T>): Promise<T> {
  const before = performance.now();
  const result = await run();
  say(`${what} (${Math.round(performance.now() - before)} ms)`);
  return result;
}

function say(line: string): void {
  console.log(`${((performance.now() - started) / 1000).toFixed(2).padStart(6)} s  ${line}`);
}

function one<T>(found: readonly T[]): T {
  const [first] = found;
  if (first === undefined) throw new Error("nothing was found where one thing should be");
  return first;
}

async function main(): Promise<number> {
  if (Number(process.versions.node.split(".")[0]) < OLDEST_NODE) {
    console.error(`europa-node needs Node ${OLDEST_NODE} or newer, this is ${process.version}`);
    return 1;
  }
  const stage = await buildStage();
  const interrupted = new Promise<void>((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
  try {
    await demo(stage);
    if (!process.argv.includes("--once")) {
      say(`all stays up: ${stage.operator.url}/info, ${stage.operator.url}/health; end it with Ctrl-C`);
      await interrupted;
    }
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  } finally {
    await stage.clear();
  }
}

main().then(
  (exitCode) => process.exit(exitCode),
  (error) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  },
);
