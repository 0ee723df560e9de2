import { z } from "zod";
import { buildInfoDocument } from "../../http/info-document.ts";
import type { samePrice } from "../../protocol/price.ts";
import { version } from "../../version.ts";
import type { Check } from "../check.ts";
import { proxyCommand, startCommand } from "../daemon/start-command.ts";
import { type Finding, fail, ok, unseen } from "../finding.ts";
import type { Subject } from "../subject.ts";
import type { Asked } from "./ask.ts";
import { notReached } from "./reach-words.ts";

const infoSchema = z.object({
  pubkey: z.string(),
  endpoint: z.string(),
  mints: z.array(z.string()),
  cashu_purchase_endpoints: z.array(z.string()),
  lightning_endpoints: z.array(z.string()),
  prices: z.array(
    z.object({
      amount: z.number(),
      currency: z.string(),
      unit: z.string(),
      rate_mbit: z.number().optional(),
    }),
  ),
  rate_mbit: z.number().optional(),
});
export type SeenInfo = z.infer<typeof infoSchema>;

/** `/info` by the public name, as directories ask for it. */
export const info: Check = {
  name: "info",
  group: "public name",
  async look(subject): Promise<Finding> {
    const [door] = await subject.doors();
    const answer = await subject.info();
    if (door === undefined || answer === undefined) return unseen("the name has no address: see dns");
    if (answer.kind === "failed") return notReached(door, answer.code, subject);
    const seen = readInfo(answer);
    if (seen === undefined) return notOurs(answer.status, subject);
    if (seen.pubkey !== subject.config.nostr.pubkey) {
      return fail(
        `/info at ${door.address} is of another operator (${seen.pubkey.slice(0, 12)})`,
        `let the proxy lead ${door.name} to ${localAddress(subject)}; then as root: ${proxyCommand()}`,
      );
    }
    if (answer.certificate.flaw !== undefined) return fail("no directory reads /info: see tls", "see tls");
    return ok(`/info at ${door.address} is this operator's, asked for from this host itself`);
  },
};

function notOurs(status: number, subject: Subject): Finding {
  const what = `what answers /info is not this daemon (HTTP ${status})`;
  if (status >= 500)
    return fail(
      `${what}; it may be the proxy, without a daemon behind it`,
      `as root: ${startCommand("start")}`,
    );
  return fail(what, `let the proxy lead to ${localAddress(subject)}; then as root: ${proxyCommand()}`);
}

function localAddress({ config: { server } }: Subject): string {
  return `${server.host === "0.0.0.0" ? "127.0.0.1" : server.host}:${server.port}`;
}

export function readInfo(asked: Asked | undefined): SeenInfo | undefined {
  if (asked?.kind !== "answered" || asked.status !== 200) return undefined;
  try {
    return infoSchema.safeParse(JSON.parse(asked.text)).data;
  } catch {
    return undefined;
  }
}

/** A directory that finds a difference drops the operator. */
export const infoEqualsListing: Check = {
  name: "info-listing",
  group: "public name",
  async look(subject): Promise<Finding> {
    const { config } = subject;
    const seen = readInfo(await subject.info());
    if (seen === undefined) return unseen("there is no /info to compare: see info");
    const { listing, advertisedMethods: methods, nostr, server } = config;
    const own = buildInfoDocument({
      version,
      pubkey: nostr.pubkey,
      publicHost: server.publicHost,
      listing,
      rateMbit: config.wireguard.rateMbit,
      methods,
    });
    const stale = [...differences(seen, own), ...(ratesIn(seen) === ratesIn(own) ? [] : ["rates"])];
    if (stale.length > 0) {
      return fail(
        `/info differs from ${subject.configPath} in ${stale.join(", ")}: the daemon runs with a former one`,
        `as root: ${startCommand("restart")}`,
      );
    }
    const { newest } = await subject.listing();
    if (newest === undefined || !newest.parsed.ok)
      return unseen("no relay shows a listing to compare: see listing");
    const { paymentMethods, prices } = newest.parsed.listing;
    const published = buildInfoDocument({
      version,
      pubkey: newest.event.pubkey,
      publicHost: server.publicHost,
      listing: { ...listing, prices },
      rateMbit: null,
      methods: paymentMethods,
    });
    const unlike = differences(seen, published, true);
    if (unlike.length === 0) return ok("/info and the listing agree in pubkey, endpoints, mints and prices");
    return fail(
      `/info and the listing on the relays differ in ${unlike.join(", ")}`,
      `let the daemon publish it anew, as root: ${startCommand("restart")}`,
    );
  },
};

/** No part of the listing. */
function ratesIn({ prices, rate_mbit }: Pick<SeenInfo, "prices" | "rate_mbit">): string {
  return [...prices.map((price) => price.rate_mbit), rate_mbit].join();
}

type Compared = Omit<SeenInfo, "prices"> & { prices: Parameters<typeof samePrice>[0][] | SeenInfo["prices"] };

/** A method that is down is left out of the listing, and stays in /info: then the listing may have less. */
function differences(seen: SeenInfo, other: Compared, otherMayHaveLess = false): string[] {
  const lists = ["mints", "cashu_purchase_endpoints", "lightning_endpoints"] as const;
  const within = (one: readonly string[], all: readonly string[]) => one.every((item) => all.includes(item));
  const prices = (document: Compared) =>
    document.prices.map(({ amount, currency, unit }) => `${amount} ${currency.toLowerCase()}/${unit}`);
  return [
    ...(seen.pubkey === other.pubkey ? [] : ["pubkey"]),
    ...(seen.endpoint === other.endpoint ? [] : ["endpoint"]),
    ...lists.filter(
      (key) => !within(other[key], seen[key]) || (!otherMayHaveLess && !within(seen[key], other[key])),
    ),
    ...(prices(seen).join() === prices(other).join() ? [] : ["prices"]),
  ];
}
