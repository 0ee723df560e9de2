import type { HealthReport } from "../http/health.ts";

interface HealthFacts {
  pubkey: string;
  dTag: string;
  /** What is wrong, in words; undefined when nothing is. */
  database: string | undefined;
  wireguard: string | undefined;
  /** Undefined when Cashu is off. */
  wallet: { events: number; proofs: number } | undefined;
  /** Whether the node could sell; undefined when Lightning is off. */
  lightning: boolean | undefined;
  relays: { url: string; connected: boolean }[];
}

/** The truth about the parts that a sale and a tunnel need. Relays that are down delay a backup, not a sale. */
export function healthReport(facts: HealthFacts): HealthReport {
  const database = withoutMend(facts.database);
  const wireguard = withoutMend(facts.wireguard);
  const reason = database ?? wireguard;
  return {
    ok: reason === undefined,
    ...(reason === undefined ? {} : { reason }),
    service: "europa-node",
    pubkey: facts.pubkey.slice(0, 12),
    listing: facts.dTag,
    database: database ?? "ok",
    wireguard: wireguard ?? "ok",
    wallet: walletInWords(facts.wallet),
    lightning: lightningInWords(facts.lightning),
    relays: {
      connected: facts.relays.filter((relay) => relay.connected).length,
      total: facts.relays.length,
    },
  };
}

/** Anyone may read /health: it says what is wrong. How to mend it, with commands and paths, is for the log. */
function withoutMend(trouble: string | undefined): string | undefined {
  return trouble?.split("; ")[0];
}

function walletInWords(wallet: HealthFacts["wallet"]): string {
  if (wallet === undefined) return "off";
  const { events, proofs } = wallet;
  return events + proofs === 0 ? "ok" : `${events} events and ${proofs} proofs wait for a relay`;
}

/** What is wrong with the node tells of the operator's host, and stands in the log alone. */
function lightningInWords(lightning: HealthFacts["lightning"]): string {
  if (lightning === undefined) return "off";
  return lightning ? "ok" : "the Lightning node cannot sell now";
}
