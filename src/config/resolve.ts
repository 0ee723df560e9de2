import { hostOf, networkOf, withoutBrackets } from "./addresses.ts";
import type { Findings } from "./findings.ts";
import { nostrPubkeyOf, readPubkey, readSecretKey } from "./keys.ts";
import { resolveLightning } from "./lightning.ts";
import { resolveListing } from "./listing.ts";
import { advertisedMethods, resolveCashu } from "./payment.ts";
import type { ConfigFile } from "./schema.ts";
import type {
  BackupConfig,
  Config,
  LogLevel,
  NamedFile,
  NostrConfig,
  NotificationsConfig,
  WireguardConfig,
} from "./types.ts";

/** What is decided outside the file's own values. */
export interface Surroundings {
  path: string;
  namedFiles: NamedFile[];
  logLevel: LogLevel;
  wireguardMode: "kernel" | "in-memory";
  leftOutMethods: ReadonlySet<number>;
}

/** The file in the daemon's own terms, and what no single key can show to be wrong. */
export function resolveConfig(file: ConfigFile, around: Surroundings, findings: Findings): Config {
  const methods = advertisedMethods(file, around.leftOutMethods);
  if (methods.length === 0) {
    findings.warnings.push("listing.payment_methods: none is left, so the listing is not published");
  }
  if (file.cashu.enabled && file.cashu.p2pk_privkey_hex === undefined) {
    findings.problems.push(
      "cashu.p2pk_privkey_hex: is missing while cashu.enabled is true; write a private key of 64 hex characters (`openssl rand -hex 32` makes one), or cashu.enabled = false",
    );
  }
  const nostr = resolveNostr(file);
  return {
    path: around.path,
    namedFiles: around.namedFiles,
    logLevel: around.logLevel,
    server: {
      host: file.server.host,
      port: file.server.port,
      publicHost: file.server.public_host.toLowerCase(),
      trustedProxies: file.server.trusted_proxies,
    },
    db: { path: file.db.path },
    wireguard: resolveWireguard(file, around.wireguardMode, findings),
    lightning: resolveLightning(file, methods, findings),
    cashu: resolveCashu(file, methods, findings),
    nostr,
    notifications: resolveNotifications(file, nostr.pubkey),
    backup: resolveBackup(file, findings),
    listing: resolveListing(file, findings),
    advertisedMethods: methods,
  };
}

function resolveWireguard(
  { server, wireguard }: ConfigFile,
  mode: WireguardConfig["mode"],
  { problems, warnings }: Findings,
): WireguardConfig {
  const name = wireguard.interface;
  if (mode === "kernel" && wireguard.server_pubkey === undefined) {
    problems.push(
      `wireguard.server_pubkey: is missing; write what \`wg show ${name} public-key\` prints, 44 characters`,
    );
  }
  const subnetCidr = networkOf(wireguard.subnet_cidr) ?? wireguard.subnet_cidr;
  if (subnetCidr !== wireguard.subnet_cidr) {
    warnings.push(`wireguard.subnet_cidr: ${wireguard.subnet_cidr} is taken as the network ${subnetCidr}`);
  }
  const host = withoutBrackets(wireguard.endpoint_host ?? hostOf(server.public_host));
  return {
    mode,
    interface: name,
    endpoint: `${host.includes(":") ? `[${host}]` : host}:${wireguard.endpoint_port}`,
    serverPubkey: wireguard.server_pubkey,
    subnetCidr,
    subnet6: wireguard.subnet6,
    dns: wireguard.dns,
    mtu: wireguard.mtu,
    exclusive: wireguard.exclusive,
    enforcement: wireguard.enforcement,
    rateMbit: wireguard.rate_mbit ?? null,
    maxFlows: wireguard.max_flows,
    addressHoldSeconds: wireguard.address_hold_seconds,
    tickSeconds: wireguard.tick_seconds,
  };
}

function resolveNostr({ nostr }: ConfigFile): NostrConfig {
  const secretKeyHex = readSecretKey(nostr.nsec);
  if (secretKeyHex === undefined) throw new Error("nostr.nsec passed the schema and is no key");
  return { relays: [...new Set(nostr.relays)], secretKeyHex, pubkey: nostrPubkeyOf(secretKeyHex) };
}

function resolveNotifications(
  { notifications }: ConfigFile,
  ownPubkey: string,
): NotificationsConfig | undefined {
  if (!notifications.enabled) return undefined;
  const given = notifications.pubkey === undefined ? undefined : readPubkey(notifications.pubkey);
  return { pubkey: given ?? ownPubkey, heartbeatHours: notifications.heartbeat_hours };
}

function resolveBackup({ backup }: ConfigFile, { problems }: Findings): BackupConfig {
  const { every: everyHours, keep, dir, recipient, passphrase_file: passphraseFile } = backup;
  if (recipient !== undefined && passphraseFile !== undefined) {
    problems.push("backup.passphrase_file: cannot stand beside backup.recipient; write one of the two only");
  }
  if (recipient !== undefined) return { everyHours, keep, dir, seal: { recipient } };
  if (passphraseFile !== undefined) return { everyHours, keep, dir, seal: { passphraseFile } };
  if (everyHours > 0) {
    problems.push(
      "backup.recipient: is missing while backup.every is not 0; write an age public key (age1…), or name a file that holds a passphrase in backup.passphrase_file",
    );
  }
  return { everyHours, keep, dir, seal: undefined };
}
