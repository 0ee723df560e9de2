import type { Logger } from "pino";
import { type Clock, systemClock } from "../clock.ts";
import { hostOf } from "../config/addresses.ts";
import type { Config } from "../config/types.ts";
import { readIdentity } from "../nostr/identity.ts";
import type { RelayEvents } from "../nostr/relay-queries.ts";
import { connectRelays, type Relays } from "../nostr/relays.ts";
import { createHost, type Host, type HostAddress } from "../wireguard/host.ts";
import { lookOnce } from "../wireguard/look-once.ts";
import { readWgUpState, type WgUpState } from "../wireguard/wg-up-state.ts";
import { askStanding, type Running } from "./daemon/running.ts";
import { type OwnListing, readOwnListing } from "./listing/own-listing.ts";
import { type Asked, type AskOptions, ask, type Door } from "./name/ask.ts";
import { lookedUpHere, type NameAnswer, resolveName } from "./name/resolve.ts";
import { once } from "./once.ts";
import { readWalletEvents } from "./relays/wallet-events.ts";

/** The host and its daemon, as the checks look at them; what several want to see is looked at once. */
export interface Subject {
  config: Config;
  configPath: string;
  /** What the config's own check warns of. */
  warnings: readonly string[];
  clock: Clock;
  host: Host;
  wgUp: WgUpState;
  addresses(): Promise<HostAddress[]>;
  /** `server.public_host` without its port, and the port. */
  publicName: { host: string; port: number };
  name(): Promise<NameAnswer>;
  /** The addresses of the public name: DNS's, or this host's own word where DNS is silent. */
  doors(): Promise<Door[]>;
  /** Over the first of the doors; undefined when there is none. */
  ask(path: string, options?: AskOptions): Promise<Asked | undefined>;
  info(): Promise<Asked | undefined>;
  running(): Promise<Running>;
  relays(): Promise<Relays>;
  listing(): Promise<OwnListing>;
  /** The operator's wallet as the relays show it. */
  walletEvents(): Promise<RelayEvents[]>;
  /** The WireGuard interface. */
  tunnels(): ReturnType<typeof lookOnce>;
  close(): Promise<void>;
}

export interface SubjectParts {
  config: Config;
  configPath: string;
  warnings: readonly string[];
  logger: Logger;
}

const CONNECT_WITHIN_MS = 5_000;

export function createSubject({ config, configPath, warnings, logger }: SubjectParts): Subject {
  const { publicHost } = config.server;
  const publicName = { host: hostOf(publicHost), port: Number(/:(\d+)$/.exec(publicHost)?.[1] ?? 443) };
  const host = createHost();
  const { secretKey, pubkeyHex } = readIdentity(config.nostr.secretKeyHex);
  const name = once(() => resolveName(publicName.host));
  const doors = once(async (): Promise<Door[]> => {
    const known = await name();
    const addresses = known.kind === "known" ? known.addresses : [];
    const seen = known.kind === "silent" ? await lookedUpHere(publicName.host) : addresses;
    return seen.map((address) => ({ address, port: publicName.port, name: publicName.host }));
  });
  const askTheName = async (path: string, options?: AskOptions) => {
    const [door] = await doors();
    return door && ask(door, path, options);
  };
  let connected: Promise<Relays> | undefined;
  const relays = () => {
    connected ??= connectRelays({
      urls: config.nostr.relays,
      secretKey,
      clock: systemClock,
      logger,
      connectDeadlineMs: CONNECT_WITHIN_MS,
    });
    return connected;
  };
  return {
    config,
    configPath,
    warnings,
    clock: systemClock,
    host,
    wgUp: readWgUpState(config.wireguard.interface),
    addresses: once(() => host.addresses()),
    publicName,
    name,
    doors,
    ask: askTheName,
    info: once(() => askTheName("/info")),
    running: once(() => askStanding(config.db.path)),
    relays,
    tunnels: once(() => lookOnce(host.run, config.wireguard.interface)),
    walletEvents: once(async () => readWalletEvents(await relays(), pubkeyHex)),
    listing: once(async () => readOwnListing(await relays(), pubkeyHex, config.listing.dTag)),
    close: async () => (await connected)?.close(),
  };
}
