import type { PaymentMethod } from "../protocol/payment-method.ts";
import type { Price, Quantity } from "../protocol/price.ts";

export const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Everything the daemon is told, checked and resolved: secrets read, defaults filled in. */
export interface Config {
  /** The file that all this comes from. */
  path: string;
  namedFiles: NamedFile[];
  logLevel: LogLevel;
  server: ServerConfig;
  db: { path: string };
  wireguard: WireguardConfig;
  /** `undefined`: off. */
  lightning: LightningConfig | undefined;
  /** `undefined`: off. */
  cashu: CashuConfig | undefined;
  nostr: NostrConfig;
  /** `undefined`: off. */
  notifications: NotificationsConfig | undefined;
  backup: BackupConfig;
  listing: ListingConfig;
  /** What the listing may offer: the configured methods whose backend is on. May be empty. */
  advertisedMethods: PaymentMethod[];
}

export interface ServerConfig {
  host: string;
  port: number;
  /** `host` or `host:port`, lower-cased. */
  publicHost: string;
  /** Addresses and CIDRs whose `X-Forwarded-For` is believed. */
  trustedProxies: string[];
}

export interface WireguardConfig {
  mode: "kernel" | "in-memory";
  interface: string;
  /** `host:port` for the .conf, an IPv6 address in brackets. */
  endpoint: string;
  /** `undefined` only in memory. */
  serverPubkey: string | undefined;
  /** The network's own address, a slash, 16 to 30. */
  subnetCidr: string;
  /** `fd66:42::/64`: tunnels have IPv6 addresses in it; `undefined`: none. */
  subnet6: string | undefined;
  dns: string[];
  mtu: number | undefined;
  exclusive: boolean;
  /** What holds tunnels to their limits: the kernel, the daemon alone, or the kernel where it can. */
  enforcement: "auto" | "kernel" | "daemon";
  /** In Mbit/s each way, of tunnels whose tier has no rate; null: no limit. */
  rateMbit: number | null;
  /** Connections that a tunnel may hold in the host's conntrack; 0: any number. */
  maxFlows: number;
  addressHoldSeconds: number;
  tickSeconds: number;
}

export interface LightningConfig {
  backend: "phoenixd" | "lnd" | "stub";
  baseUrl: string;
  /** phoenixd's password, or lnd's macaroon in hex; `undefined` for the stub only. */
  apiToken: string | undefined;
  /** PEM of lnd's own certificate; `undefined`: what the system trusts. */
  certificate: string | undefined;
  successAction: "lud10" | "v1";
  /** How long an invoice can be paid. */
  invoiceSeconds: number;
  /** How long after that it keeps its address. */
  invoiceGraceSeconds: number;
  /** The stub's invoices are listed, and count as paid. */
  stubSells: boolean;
}

export interface AcceptedMint {
  /** Normalised: the mint's identity. */
  key: string;
  /** As configured, without trailing slashes: what is dialled. */
  url: string;
}

export interface CashuConfig {
  privateKeyHex: string;
  /** 66 hex: the public key of `privateKeyHex`. */
  p2pk: string;
  mints: AcceptedMint[];
  maxFeeSat: number;
  settleSeconds: number;
  openHoldSeconds: number;
}

export interface NostrConfig {
  relays: string[];
  secretKeyHex: string;
  /** 64 hex. */
  pubkey: string;
}

export interface NotificationsConfig {
  /** 64 hex; the operator's own when none is configured. */
  pubkey: string;
  /** 0: never. */
  heartbeatHours: number;
}

export interface BackupConfig {
  /** 0: the daemon makes none by itself. */
  everyHours: number;
  keep: number;
  dir: string;
  /** An age public key, or the file that holds a passphrase. */
  seal: { recipient: string } | { passphraseFile: string } | undefined;
}

/** A file beside the config that it names, by its key. */
export interface NamedFile {
  name: string;
  path: string;
}

export interface ListingConfig {
  dTag: string;
  title: string;
  summary: string | undefined;
  /** Markdown. */
  content: string;
  protocols: string[];
  policies: string[];
  policyUrl: string | undefined;
  protocolConfigUrl: string | undefined;
  image: string | undefined;
  topics: string[];
  region: { country: string; sub: string | undefined; geohash: string | undefined } | undefined;
  capacity: { amount: number; unit: string } | undefined;
  minPurchase: Quantity | undefined;
  maxPurchase: Quantity | undefined;
  prices: Price[];
  priceGraceSeconds: number;
  refreshMinutes: number;
  /** Nothing is sold to new buyers while none gets a handshake. */
  soldWhenUnreachable: boolean;
}
