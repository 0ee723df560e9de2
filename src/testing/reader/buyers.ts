import { expect } from "vitest";
import { listingCoordinate } from "../../protocol/listing.ts";
import { buildPurchaseComment } from "../../protocol/purchase-comment.ts";
import { type Buyer, createBuyer, type FoundListing } from "../buyer.ts";
import { mintToken } from "../ecash.ts";
import { exec } from "../namespace-tools.ts";
import type { ReaderWorld } from "./reader-world.ts";

/** A buyer's first purchase, with what the listing says and nothing else. Returns his .conf. */
export async function buyForEcash(
  world: ReaderWorld,
  { listing, operatorPubkey }: FoundListing,
): Promise<{ buyer: Buyer; conf: string }> {
  const method = listing.paymentMethods.find(({ type }) => type === "cashu");
  const [price] = listing.prices;
  if (method?.type !== "cashu" || price === undefined) throw new Error("nothing is sold for ecash");
  const url = String(method.endpoint);
  const buyer = createBuyer();
  const lock = { pubkey: method.p2pk };
  const { token } = await mintToken({ mintUrl: method.mint, amountSat: price.amount, lock });
  const order = { url, publicHost: new URL(url).host, operatorPubkey, dTag: listing.dTag, price };
  const { status, body } = await world.ask("buyer1", url, [
    ...["--header", `Authorization: ${buyer.authorization(order)}`, "--header", `X-Cashu: ${token}`],
    ...["--json", JSON.stringify({ protocol: "wireguard", client_pubkey: buyer.wireguard.publicKey })],
  ]);
  expect([status, body]).toMatchObject([200, { config: expect.stringContaining("[Interface]") }]);
  return { buyer, conf: (body as { config: string }).config };
}

/** An invoice for what a Lightning method of a listing sells first. */
export async function orderInvoice(
  world: ReaderWorld,
  { listing, operatorPubkey }: FoundListing,
): Promise<{ paymentHash: string; verifyUrl: string }> {
  const method = listing.paymentMethods.find(({ type }) => type === "lightning");
  const [price] = listing.prices;
  if (method?.type !== "lightning" || price === undefined) throw new Error("nothing is sold over Lightning");
  const { body } = await world.ask("buyer2", method.endpoint);
  const { callback, minSendable } = body as { callback: string; minSendable: number };
  const comment = buildPurchaseComment({
    listing: listingCoordinate(operatorPubkey, listing.dTag),
    price,
    protocol: "wireguard",
    clientPubkey: createBuyer().wireguard.publicKey,
  });
  const url = `${callback}&amount=${minSendable}&comment=${encodeURIComponent(comment)}`;
  const ordered = await world.ask("buyer2", url);
  const { verify } = ordered.body as { verify: string };
  return { verifyUrl: verify, paymentHash: verify.split("/").at(-1) ?? "" };
}

/** Whether a page from the web comes through buyer1's tunnel. */
export function browses({ host }: ReaderWorld): Promise<boolean> {
  const page = [
    "curl",
    "-q",
    "--noproxy",
    "*",
    "--silent",
    "--fail",
    "--max-time",
    "5",
    "http://198.51.100.10/",
  ];
  return exec(host.namespaceOf("buyer1"), page).then(
    () => true,
    () => false,
  );
}
