import { hostOf } from "../../config/addresses.ts";
import { CommandFailure } from "../../wireguard/run.ts";
import { openTunnelRoom, type TunnelRoom } from "../../wireguard/tunnel-room.ts";
import type { Examined } from "../check.ts";
import { type Finding, fail, ok } from "../finding.ts";
import type { Door } from "../name/ask.ts";
import { resolveName } from "../name/resolve.ts";
import type { Subject } from "../subject.ts";
import { type Buyer, buyerOf } from "./buyer.ts";
import { FATE_WORDS, fateOf } from "./fate.ts";
import { purchase } from "./purchase.ts";
import { saveConf } from "./saved-conf.ts";
import { readToken, type UsableToken } from "./token.ts";

export interface BuyOrder {
  /** The token as it was given. */
  token: string;
  /** A page out there, beside this server's own `/info`. */
  url: string | undefined;
}

/**
 * Buys the cheapest tier from this server with a token, over the public name, and looks at a page through the tunnel.
 * Stops at the first thing that fails. What is made on this host is taken away again, also when `signal` ends it.
 */
export async function buyFromItself(
  subject: Subject,
  order: BuyOrder,
  signal: AbortSignal,
): Promise<Examined[]> {
  const steps: Examined[] = [];
  const step = (name: string, finding: Finding) => {
    steps.push({ name, group: "purchase", ...finding });
    return finding.status !== "fail";
  };
  const token = usable(order.token, subject);
  if (!step("buy-token", token.finding) || token.usable === undefined) return steps;
  const [door] = await subject.doors();
  if (door === undefined) {
    step("buy-purchase", fail("the public name has no address", "see the check dns: europa-node doctor"));
    return steps;
  }
  const room = await openRoom();
  if (!step("buy-room", room.finding) || room.opened === undefined) return steps;
  const { opened } = room;
  const remove = () => void opened.remove();
  signal.addEventListener("abort", remove);
  try {
    await buyInto(opened, door, token.usable, { subject, order, signal, step });
  } finally {
    signal.removeEventListener("abort", remove);
    await opened.remove();
  }
  return steps;
}

interface Buying {
  subject: Subject;
  order: BuyOrder;
  signal: AbortSignal;
  /** False when it failed. */
  step(name: string, finding: Finding): boolean;
}

async function buyInto(room: TunnelRoom, door: Door, token: UsableToken, buying: Buying) {
  const { subject, signal, step } = buying;
  const buyer = buyerOf(token.text);
  const bought = await purchase(door, subject, token, buyer, signal);
  if (bought.kind !== "granted") {
    const fate = FATE_WORDS[await fateOf(token)];
    const why = bought.kind === "refused" ? `the daemon refuses: ${bought.said}` : `no sale: ${bought.why}`;
    step("buy-purchase", fail(`${why}; ${fate}`, "see what fails: europa-node doctor"));
    return;
  }
  const until = new Date(bought.expiresAt * 1000).toISOString();
  step("buy-purchase", ok(`${token.decoded.faceSat} sat bought a tunnel until ${until}; the token is spent`));
  const conf = withKey(bought.conf, buyer);
  try {
    await lookThrough(room, door, conf, buying);
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    const seen = `the tunnel could not be brought up (${error.message}); the token is spent, and ${saveConf(conf)}`;
    step("buy-tunnel", fail(seen, "see interface: europa-node doctor"));
  }
}

async function lookThrough(room: TunnelRoom, door: Door, conf: string, { subject, order, step }: Buying) {
  await room.bringUp(await withAddress(conf));
  const page = await ownPage(room, door, subject);
  const handshake = await room.lastHandshake();
  if (!step("buy-tunnel", handshake > 0 ? ok("the tunnel came up") : noHandshake(subject, conf))) return;
  if (!step("buy-page", page ?? noPage(`https://${subject.config.server.publicHost}/info`, conf))) return;
  if (order.url === undefined) return;
  const outside = await room.fetch(order.url).catch(unlessCommandFailed);
  const seen =
    outside === undefined ? noPage(order.url, conf) : ok(`${order.url}: ${outside.length} characters`);
  step("buy-outside", seen);
}

function usable(
  text: string,
  { config, clock, configPath }: Subject,
): { finding: Finding; usable?: UsableToken } {
  if (process.getuid?.() !== 0) {
    return { finding: fail("a tunnel needs root; the token was not used", "run it as root") };
  }
  if (config.cashu === undefined) {
    return {
      finding: fail("Cashu is off; the token was not used", `enabled = true in [cashu] of ${configPath}`),
    };
  }
  const read = readToken(text, config.cashu, config.listing, clock.now());
  if ("wrong" in read) {
    const mend = `a wallet that sends to a public key makes one that fits; this server's is: ${config.cashu.p2pk}`;
    return { finding: fail(`${read.wrong}. The token was not used`, mend) };
  }
  const { decoded, mintUrl, price } = read;
  const seen = `${decoded.faceSat} sat of ${mintUrl}, for the tier of ${price.amount} sat a ${price.unit}`;
  return { finding: ok(seen), usable: read };
}

async function openRoom(): Promise<{ finding: Finding; opened?: TunnelRoom }> {
  // Unique on the host, as wireguard-go wants it, and short enough for an interface.
  const name = `eu-dr-${process.pid}`;
  try {
    const opened = await openTunnelRoom(name);
    return { finding: ok(`a network namespace of its own, ${name}`), opened };
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    const seen = `no network namespace with WireGuard can be made here (${error.message}); the token was not used`;
    return { finding: fail(seen, "on the host, as root: apt-get install -y wireguard-tools iproute2 curl") };
  }
}

function withKey(conf: string, { privateKey }: Buyer): string {
  return conf.replace(/^PrivateKey = .*$/m, `PrivateKey = ${privateKey}`);
}

/** In the room no name can be looked up before the tunnel is up. */
async function withAddress(conf: string): Promise<string> {
  const [, endpoint = ""] = /^Endpoint = (.*)$/m.exec(conf) ?? [];
  const answer = await resolveName(hostOf(endpoint));
  const [address = hostOf(endpoint)] = answer.kind === "known" ? answer.addresses : [];
  const port = endpoint.split(":").at(-1);
  return conf.replace(
    /^Endpoint = .*$/m,
    `Endpoint = ${address.includes(":") ? `[${address}]` : address}:${port}`,
  );
}

/** As a buyer who renews from inside his tunnel. */
async function ownPage(
  room: TunnelRoom,
  { address }: Door,
  { config }: Subject,
): Promise<Finding | undefined> {
  const url = `https://${config.server.publicHost}/info`;
  const page = await room.fetch(url, address).catch(unlessCommandFailed);
  return page?.includes(config.nostr.pubkey) ? ok(`${url} came through the tunnel`) : undefined;
}

function unlessCommandFailed(error: unknown): undefined {
  if (!(error instanceof CommandFailure)) throw error;
}

function noHandshake({ config }: Subject, conf: string): Finding {
  const port = config.wireguard.endpoint.split(":").at(-1);
  return fail(
    `the tunnel did not come up; the token is spent, and ${saveConf(conf)}`,
    `open UDP ${port} on this host and with its hoster; see interface and interface-port: europa-node doctor`,
  );
}

function noPage(url: string, conf: string): Finding {
  return fail(
    `${url} did not come through the tunnel; the token is spent, and ${saveConf(conf)}`,
    "see forwarding, nat, firewalls and isolation: europa-node doctor",
  );
}
