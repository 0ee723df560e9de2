import Database from "better-sqlite3";
import type { Price } from "../protocol/price.ts";
import type { LimitsView } from "../tunnels/ports.ts";
import { createNftLimits } from "../wireguard/nft-limits.ts";
import { type Answer, type Buyer, createBuyer } from "./buyer.ts";
import { detectWireguard } from "./detect-wireguard.ts";
import { mintToken, proofStates } from "./ecash.ts";
import { startMint, type TestMint } from "./mint.ts";
import { createTunnelWorld, type TunnelWorld } from "./namespaces.ts";
import { type Nutshell, startNutshell } from "./nutshell.ts";
import { createOperator, type Operator } from "./operator.ts";
import { startRelay, type TestRelay } from "./relay.ts";
import { generateWireguardKeys } from "./wireguard-keys.ts";

const DEFAULT_MAX_FLOWS = 4096;

export interface TunnelMarketOptions {
  /** Of the world, see `createTunnelWorld`. */
  tag: string;
  buyers?: number;
  prices?: { amount: number; unit: Price["unit"]; rateMbit?: number }[];
  /** Of tiers that have none. */
  rateMbit?: number;
  /** `fd66:42::/64`: the web answers in it, and the operator sells it unless told otherwise. */
  subnet6?: string;
  /** As in the operator's settings. */
  enforcement?: "auto" | "kernel" | "daemon";
  /** With one, a Nutshell mint runs beside ours. */
  nutshellVenv?: string | undefined;
}

export interface PurchaseChoice {
  unit?: Price["unit"];
  amountSat?: number;
  buyer?: Buyer;
  mintUrl?: string;
}

/** What a buyer is about to send, and may send again. */
export interface PreparedPurchase {
  buyer: Buyer;
  token: string;
  send(): Promise<Answer>;
  /** As `send`, with another WireGuard key or Nostr key, for the same token. */
  sendAs(other: Buyer): Promise<Answer>;
  /** NUT-07, of the token's proofs. */
  states(): Promise<string[]>;
}

export interface SoldTunnel {
  buyer: Buyer;
  conf: string;
  address: string;
  expiresAt: number;
}

/** One session as it stands in the book. */
export interface BookedSession {
  status: string;
  expires_at: number | null;
  data_quota_bytes: number | null;
  data_used_bytes: number;
  last_rx_counter: number;
  last_tx_counter: number;
}

/** A daemon in a tunnel world that sells for ecash: real packets, real `wg`. */
export interface TunnelMarket {
  world: TunnelWorld;
  relay: TestRelay;
  mint: TestMint;
  nutshell: Nutshell | undefined;
  operator: Operator;
  prepare(choice?: PurchaseChoice): Promise<PreparedPurchase>;
  /** Throws unless it is granted. */
  buy(choice?: PurchaseChoice): Promise<SoldTunnel>;
  health(): Promise<{ status: number; wireguard: string; reason: string | undefined }>;
  /** The interface's peers by public key, with their allowed addresses as `wg` prints them. */
  peers(): Promise<Map<string, string>>;
  /** As the kernel has them. */
  limits(): Promise<LimitsView>;
  /** The session of a WireGuard key. */
  booked(publicKey: string): BookedSession;
  /** Lets the key's time end at `endsAt` (unix seconds), in the book, while the daemon runs. */
  endTimeAt(publicKey: string, endsAt: number): void;
  /** Lets the fastest part of the key's time end at `endsAt` (unix seconds), in the book, while the daemon runs. */
  endFastestAt(publicKey: string, endsAt: number): void;
  /** Leaves the key so many bytes, in the book, while the daemon runs. */
  leaveBytes(publicKey: string, bytes: number): void;
  destroy(): Promise<void>;
}

/** Why tests with real tunnels cannot run here, or undefined when they can. In CI that is an error. */
export async function tunnelsMissing(inCi: boolean): Promise<string | undefined> {
  const found = await detectWireguard();
  if (found.available) return undefined;
  if (inCi) throw new Error(`${found.why}: CI runs the tests with tunnels, it does not skip them`);
  return found.why;
}

/** Builds all of it and starts the daemon's surroundings; `operator.start()` is left to the caller. */
export async function openTunnelMarket(options: TunnelMarketOptions): Promise<TunnelMarket> {
  const { tag, buyers = 2, nutshellVenv } = options;
  const prices = options.prices ?? [{ amount: 10, unit: "hour" }];
  const closing: (() => Promise<unknown>)[] = [];
  async function destroy(): Promise<void> {
    const ends = await Promise.allSettled(closing.splice(0).map((close) => close()));
    const failed = ends.find((end) => end.status === "rejected");
    if (failed) throw failed.reason;
  }
  async function closedLater<T>(opening: Promise<T>, close: (part: T) => Promise<unknown>): Promise<T> {
    const part = await opening;
    closing.push(() => close(part));
    return part;
  }
  try {
    return await open();
  } catch (error) {
    await destroy();
    throw error;
  }

  async function open(): Promise<TunnelMarket> {
    const serverKeys = generateWireguardKeys();
    const subnetCidr = "10.66.42.0/24";
    const world = await closedLater(
      createTunnelWorld({
        serverPrivateKey: serverKeys.privateKey,
        subnetCidr,
        subnet6: options.subnet6,
        tag,
        buyers,
      }),
      (made) => made.destroy(),
    );
    const host = world.hostAddress;
    const relay = await closedLater(startRelay({ host }), (made) => made.stop());
    const mint = await closedLater(startMint({ host }), (made) => made.stop());
    const nutshell =
      nutshellVenv === undefined
        ? undefined
        : await closedLater(startNutshell({ venv: nutshellVenv, host }), (made) => made.stop());
    const operator = await closedLater(
      createOperator({
        relays: [relay.url],
        mints: [mint.url, ...(nutshell ? [nutshell.url] : [])],
        prices,
        subnet: subnetCidr,
        ...(options.subnet6 ? { subnet6: options.subnet6 } : {}),
        wireguard: "kernel",
        ...(options.rateMbit ? { rateMbit: options.rateMbit } : {}),
        ...(options.enforcement ? { enforcement: options.enforcement } : {}),
        interfaceName: world.interfaceName,
        serverKeys,
        endpoint: { host: world.endpointHost, port: world.endpointPort },
        host: world.operatorAddress,
        commandPrefix: world.commandPrefix("operator"),
        tickSeconds: 1,
      }),
      (made) => made.destroy(),
    );

    async function prepare(choice: PurchaseChoice = {}): Promise<PreparedPurchase> {
      const price = prices.find(({ unit }) => unit === (choice.unit ?? "hour"));
      if (!price) throw new Error("no such tier");
      const { buyer = createBuyer(), mintUrl = mint.url, amountSat = price.amount } = choice;
      const lock = { pubkey: operator.p2pk };
      const { token, proofs } = await mintToken({ mintUrl, amountSat, lock });
      const order = {
        url: operator.url,
        publicHost: operator.publicHost,
        operatorPubkey: operator.pubkey,
        dTag: operator.dTag,
        price: { ...price, currency: "sat" },
        token,
      };
      return {
        buyer,
        token,
        send: () => buyer.purchase(order),
        sendAs: (other) => other.purchase(order),
        states: () => proofStates(mintUrl, proofs),
      };
    }

    function inBook<T>(use: (book: Database.Database) => T): T {
      const book = new Database(operator.databasePath, { fileMustExist: true, timeout: 5_000 });
      try {
        return use(book);
      } finally {
        book.close();
      }
    }

    return {
      world,
      relay,
      mint,
      nutshell,
      operator,
      prepare,
      async buy(choice) {
        const { buyer, send } = await prepare(choice);
        return soldTunnel(buyer, await send());
      },
      async health() {
        const response = await fetch(`${operator.url}/health`);
        const { wireguard, reason } = (await response.json()) as { wireguard: string; reason?: string };
        return { status: response.status, wireguard, reason };
      },
      async peers() {
        const shown = await world.exec("operator", ["wg", "show", world.interfaceName, "allowed-ips"]);
        const rows = shown.split("\n").filter(Boolean);
        return new Map(rows.map((row) => row.split("\t") as [string, string]));
      },
      limits: () =>
        createNftLimits({
          interfaceName: world.interfaceName,
          maxFlows: DEFAULT_MAX_FLOWS,
          commandPrefix: world.commandPrefix("operator"),
        }).look(),
      booked: (publicKey) =>
        inBook((book) =>
          book.prepare("SELECT * FROM sessions WHERE client_identity = ?").get(publicKey),
        ) as BookedSession,
      endTimeAt: (publicKey, endsAt) =>
        inBook((book) =>
          book.transaction(() => {
            book
              .prepare(
                `UPDATE session_terms SET time_until = ?
                   WHERE session_id IN (SELECT session_id FROM sessions WHERE client_identity = ?)`,
              )
              .run(endsAt, publicKey);
            book
              .prepare("UPDATE sessions SET expires_at = ? WHERE client_identity = ?")
              .run(endsAt, publicKey);
          })(),
        ),
      endFastestAt: (publicKey, endsAt) =>
        inBook(
          (book) =>
            void book
              .prepare(
                `UPDATE session_terms SET time_rates = json_set(time_rates, '$[0][0]', ?)
                   WHERE session_id IN (SELECT session_id FROM sessions WHERE client_identity = ?)`,
              )
              .run(endsAt, publicKey),
        ),
      leaveBytes: (publicKey, bytes) =>
        inBook(
          (book) =>
            void book
              .prepare("UPDATE sessions SET data_quota_bytes = data_used_bytes + ? WHERE client_identity = ?")
              .run(bytes, publicKey),
        ),
      destroy,
    };
  }
}

/** What a granted purchase gave; throws for any other answer. */
export function soldTunnel(buyer: Buyer, { status, body }: Answer): SoldTunnel {
  const address = /^Address = (\S+)\/32(?:$|,)/m.exec(body.config ?? "")?.[1];
  if (status !== 200 || body.config === undefined || address === undefined) {
    throw new Error(`not granted: ${status} ${body.reason} ${body.message}`);
  }
  return { buyer, conf: body.config, address, expiresAt: body.expires_at ?? 0 };
}
