import type { Mints } from "../cashu/mints.ts";
import type { Relays } from "../nostr/relays.ts";
import type { HandshakeWatch } from "../notes/handshake-watch.ts";
import type { Findings, FoundTrouble } from "../notes/trouble-board.ts";
import type { GrantStore } from "../sales/grant-store.ts";
import type { NodeWatch } from "../sales/lightning/node-watch.ts";
import type { Settlement } from "../sales/settle.ts";
import type { ClockGuard } from "../tunnels/clock-guard.ts";
import type { Keeper } from "../tunnels/keeper.ts";
import type { WalletStore } from "../wallet/wallet-store.ts";
import type { DatabaseProbe } from "./database-probe.ts";

/** Ecash that no relay has taken for so long, and a swap without an outcome for so long, are worth a word. */
const LONG_SECONDS = 600;
const UDP_PORT = "UDP port";
const BOOKS = "books";

/** Every part that knows of itself whether it is well. */
export interface TroubleSources {
  database: Pick<DatabaseProbe, "trouble">;
  guard: Pick<ClockGuard, "doubt">;
  keeper: Pick<Keeper, "interfaceTrouble">;
  mints: Pick<Mints, "all">;
  settlement: Pick<Settlement, "hasRoomAt">;
  sales: Pick<GrantStore, "openSales">;
  relays: Pick<Relays, "status">;
  /** Undefined when Cashu is off. */
  wallet: Pick<WalletStore, "waitingSince"> | undefined;
  /** Undefined when Lightning is off. */
  node: Pick<NodeWatch, "trouble"> | undefined;
  /** Whether the books balanced when they were last added up; undefined: not known. */
  booksBalanced: () => boolean | undefined;
  handshakes: Pick<HandshakeWatch, "isClosed">;
  /** `host:port` that tunnels connect to. */
  endpoint: string;
  now: () => number;
}

/** Asks all of them. Words are the operator's: what is wrong, and how to mend it. */
export function findTroubles(sources: TroubleSources): Findings {
  const { database, guard, keeper, node, booksBalanced, handshakes } = sources;
  const books = booksBalanced();
  const isClosed = handshakes.isClosed();
  return {
    troubles: [
      ...trouble("database", "database-trouble", database.trouble()),
      ...trouble("clock", "trouble", guard.doubt()),
      ...trouble("interface", "wireguard-trouble", keeper.interfaceTrouble()?.message),
      ...trouble(UDP_PORT, "trouble", isClosed ? closedPort(sources.endpoint) : undefined),
      ...mintTroubles(sources),
      ...trouble("node", "node-trouble", node?.trouble()),
      ...relayTroubles(sources),
      ...trouble("wallet", "wallet-event-not-taken", walletTrouble(sources)),
      ...trouble(BOOKS, "books-differ", books === false ? booksDiffer : undefined),
      ...saleTroubles(sources),
    ],
    unknown: [...(books === undefined ? [BOOKS] : []), ...(isClosed === undefined ? [UDP_PORT] : [])],
  };
}

function trouble(name: string, event: string, words: string | undefined): FoundTrouble[] {
  return words === undefined ? [] : [{ name, event, words }];
}

function closedPort(endpoint: string): string {
  return (
    `three buyers in a row paid, and their tunnels never shook hands within 15 minutes: UDP to ${endpoint} does not ` +
    "come in. Open that port in this host's firewall and in the hoster's, and check that the name leads here"
  );
}

function mintTroubles({ mints, settlement }: TroubleSources): FoundTrouble[] {
  return mints.all().flatMap(({ key, url, status }) => {
    const { isShutOff, trouble: why } = status();
    const name = `mint ${url}`;
    if (isShutOff) {
      const mend =
        "the loss is in `europa-node books`. Ask its operator; restart when it is mended, or take it out of " +
        "listing.payment_methods";
      return trouble(
        name,
        "mint-wrong",
        `${why}. It answered a swap wrongly and is not used any more; ${mend}`,
      );
    }
    if (why !== undefined) {
      return trouble(
        name,
        "mint-trouble",
        `${why}. Its ecash is not taken until it answers; running tunnels stay`,
      );
    }
    if (settlement.hasRoomAt(key)) return [];
    return trouble(
      name,
      "sale-open",
      "it leaves swaps without an outcome, so no more are begun there until it tells",
    );
  });
}

function relayTroubles({ relays }: TroubleSources): FoundTrouble[] {
  const words =
    "not connected, and tried again for ever. The listing and the wallet go to the others meanwhile; if it stays away, " +
    "name another one in nostr.relays";
  return relays
    .status()
    .filter(({ connected }) => !connected)
    .flatMap(({ url }) => trouble(`relay ${url}`, "trouble", words));
}

function walletTrouble({ wallet, now }: TroubleSources): string | undefined {
  const since = wallet?.waitingSince();
  if (since === undefined || now() - since < LONG_SECONDS) return undefined;
  return "ecash is in this host's database alone for more than 10 minutes: no relay takes it. Look at what they answer";
}

const booksDiffer = "the books do not balance; `europa-node books` names each sale that differs";

function saleTroubles({ sales, now }: TroubleSources): FoundTrouble[] {
  const open = sales.openSales();
  const unresolved = open.filter(
    ({ state, createdAt }) => state === "swapping" && now() - createdAt >= LONG_SECONDS,
  );
  const owed = open.filter(({ state }) => state === "owed");
  return [
    ...trouble("owed sales", "sale-owed", owed.length === 0 ? undefined : owedWords(owed.length)),
    ...trouble("open sales", "sale-open", unresolved.length === 0 ? undefined : openWords(unresolved.length)),
  ];
}

function owedWords(count: number): string {
  return (
    `${count} paid, and no tunnel yet: an address or the interface is missing. They come up by themselves and lose no ` +
    "time; a larger wireguard.subnet_cidr, or the interface mended, lets them"
  );
}

function openWords(count: number): string {
  return `${count} for more than 10 minutes without a word from the mint; it is asked again, and nothing is lost`;
}
