import { normaliseMintUrl } from "../protocol/mint-url.ts";
import type { Place } from "../wallet/comparison.ts";
import type { BookedProof, BookedSale, Folded } from "./books-store.ts";
import { checkSale, isPaidSale, lossOf } from "./check-sale.ts";
import { type BookedRefund, refundDifferences, sumRefunds } from "./refunds.ts";
import type { BookDifference, BooksReport, LightningSums, MintSums, OpenSale, Sums } from "./report.ts";
import type { TunnelView } from "./tunnel-view.ts";

export interface BookFacts {
  sales: readonly BookedSale[];
  proofs: readonly BookedProof[];
  folded: Folded;
  /** Those that were not released. */
  refunds: readonly BookedRefund[];
  /** By `Y`, from a comparison that began before the facts were read; `undefined`: there was none. */
  places: ReadonlyMap<string, Place> | undefined;
  tunnels: TunnelView;
  /** Relays and mints that did not answer, as names. */
  silent: readonly string[];
  now: number;
}

/** Adds the books up, and names what does not balance (rule 14). Pure. */
export function balanceBooks(facts: BookFacts): BooksReport {
  const { sales, folded, tunnels, now } = facts;
  const mints = sumByMint(facts);
  const total = addUp(mints);
  const differences = [
    ...saleDifferences(sales),
    ...strayProofs(facts),
    ...refundDifferences(facts.refunds),
    ...tunnelDifferences(facts),
  ];
  const unknown = unknownParts(facts, total);
  const paid = sales.filter(isPaidSale);
  const forgotten = sumOf(folded.sales, (group) => group.sales);
  const granted = paid.filter(({ state }) => state === "granted").length;
  return {
    balanced: differences.length > 0 ? false : unknown.length > 0 ? "unknown" : true,
    at: now,
    mints,
    total,
    lightning: sumLightning(paid, folded),
    refunds: sumRefunds(facts.refunds),
    payments: { sales: forgotten + paid.length, granted: forgotten + granted, owed: paid.length - granted },
    tunnels: {
      live: tunnels.live,
      up: tunnels.without === "unknown" ? "unknown" : tunnels.live - tunnels.without.length,
    },
    open: sales.flatMap((sale) => openSale(sale, now)),
    differences,
    unknown,
  };
}

function sumByMint({ sales, proofs, folded, places }: BookFacts): MintSums[] {
  const byMint = new Map<string, MintSums>();
  const sumsOf = (mintUrl: string): MintSums => {
    const key = normaliseMintUrl(mintUrl) ?? mintUrl;
    const known = byMint.get(key) ?? { mintUrl, ...nothing() };
    byMint.set(key, known);
    return known;
  };
  for (const sale of sales.filter(isEcash).filter(isPaidSale)) {
    const sums = sumsOf(sale.mintUrl);
    sums.paidSat += sale.faceSat;
    sums.feeSat += sale.feeSat;
    sums.lossSat += lossOf(sale);
  }
  for (const { mintUrl, faceSat, feeSat, lossSat } of folded.sales.filter(isEcash)) {
    const sums = sumsOf(mintUrl);
    sums.paidSat += faceSat;
    sums.feeSat += feeSat;
    sums.lossSat += lossSat;
  }
  for (const { mintUrl, spentSat } of folded.spent) {
    const sums = sumsOf(mintUrl);
    sums.proofSat += spentSat;
    sums.spentSat += spentSat;
  }
  for (const proof of proofs) {
    const sums = sumsOf(proof.mintUrl);
    sums.proofSat += proof.amountSat;
    sums[SUM_OF[placeOf(proof, places)]] += proof.amountSat;
  }
  return [...byMint.values()];
}

function isEcash<Sale extends Pick<BookedSale, "method">>(
  sale: Sale,
): sale is Extract<Sale, { method: "cashu" }> {
  return sale.method === "cashu";
}

function sumLightning(paid: readonly BookedSale[], folded: Folded): LightningSums {
  const sums = {
    payments: 0,
    requestedMsat: 0,
    receivedMsat: 0,
    feeMsat: 0,
    overpaidMsat: 0,
    shortMsat: 0,
  };
  for (const sale of paid) {
    if (isEcash(sale)) continue;
    const receivedMsat = sale.receivedMsat ?? 0;
    const feeMsat = sale.nodeFeeMsat ?? 0;
    const requestedMsat = sale.requestedMsat ?? receivedMsat + feeMsat;
    const beyondMsat = receivedMsat + feeMsat - requestedMsat;
    sums.payments += 1;
    sums.requestedMsat += requestedMsat;
    sums.receivedMsat += receivedMsat;
    sums.feeMsat += feeMsat;
    sums.overpaidMsat += Math.max(0, beyondMsat);
    sums.shortMsat += Math.max(0, -beyondMsat);
  }
  for (const group of folded.sales) {
    if (isEcash(group)) continue;
    sums.payments += group.sales;
    sums.requestedMsat += group.requestedMsat;
    sums.receivedMsat += group.receivedMsat;
    sums.feeMsat += group.nodeFeeMsat;
    sums.overpaidMsat += group.overpaidMsat;
    sums.shortMsat += group.shortMsat;
  }
  return sums;
}

const SUM_OF = {
  outbox: "outboxSat",
  wallet: "walletSat",
  spent: "spentSat",
  unknown: "unknownSat",
} as const satisfies Record<Place, keyof Sums>;

/** What came in after the comparison began is where the book has it. */
function placeOf({ y, isSpent, inOutbox }: BookedProof, places: BookFacts["places"]): Place {
  if (isSpent) return "spent";
  return places?.get(y) ?? (inOutbox ? "outbox" : "unknown");
}

function addUp(mints: readonly Sums[]): Sums {
  const total = nothing();
  for (const sums of mints) for (const name of SUM_NAMES) total[name] += sums[name];
  return total;
}

function nothing(): Sums {
  return {
    paidSat: 0,
    proofSat: 0,
    feeSat: 0,
    lossSat: 0,
    outboxSat: 0,
    walletSat: 0,
    spentSat: 0,
    unknownSat: 0,
  };
}

const SUM_NAMES = Object.keys(nothing()) as (keyof Sums)[];

function saleDifferences(sales: readonly BookedSale[]): BookDifference[] {
  return sales.flatMap((sale) => checkSale(sale).map((what) => ({ saleId: sale.saleId, what })));
}

/** Proofs that no sale accounts for, be it one that is forgotten. */
function strayProofs({ sales, proofs, folded }: BookFacts): BookDifference[] {
  const allSat =
    sumOf(proofs, ({ amountSat }) => amountSat) + sumOf(folded.spent, ({ spentSat }) => spentSat);
  const soldSat =
    sumOf(sales.filter(isEcash), ({ proofSat }) => proofSat) +
    sumOf(folded.sales, ({ receivedSat }) => receivedSat);
  return allSat === soldSat
    ? []
    : [{ saleId: null, what: `proofs of ${allSat - soldSat} sat belong to no sale` }];
}

function sumOf<T>(items: readonly T[], amountOf: (item: T) => number): number {
  return items.reduce((sum, item) => sum + amountOf(item), 0);
}

function tunnelDifferences({ sales, tunnels }: BookFacts): BookDifference[] {
  if (tunnels.without === "unknown") return [];
  return tunnels.without.map((sessionId) => {
    const sale = sales.findLast(
      (candidate) => candidate.sessionId === sessionId && candidate.state === "granted",
    );
    return {
      saleId: sale?.saleId ?? null,
      what: `session ${sessionId} is live, and has no peer on the interface`,
    };
  });
}

function unknownParts({ tunnels, silent }: BookFacts, { unknownSat }: Sums): string[] {
  const parts: string[] = [];
  if (unknownSat > 0) {
    const who = silent.length > 0 ? `, since there was no answer from ${silent.join(", ")}` : "";
    parts.push(`where ${unknownSat} sat are${who}`);
  }
  if (tunnels.without === "unknown") parts.push("which tunnels are up, since the interface does not answer");
  return parts;
}

function openSale(sale: BookedSale, now: number): OpenSale[] {
  const { saleId, state, createdAt, faceSat } = sale;
  if (state !== "swapping" && state !== "paid" && state !== "owed") return [];
  const mintUrl = isEcash(sale) ? sale.mintUrl : null;
  return [{ saleId, state, ageSeconds: Math.max(0, now - createdAt), faceSat, mintUrl }];
}
