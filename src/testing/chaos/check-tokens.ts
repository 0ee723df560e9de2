import type { SaleAsRead } from "./book-reader.ts";
import type { Claims, Evidence, Findings } from "./evidence.ts";
import type { Payment } from "./payments.ts";

/** The mint's record of every token against what its buyers were told. Answers how many were refused and are unspent. */
export function checkTokens(
  { book, states }: Evidence,
  { payments, granted }: Claims,
  findings: Findings,
): number {
  const ownedBy = new Map<string, Payment>();
  for (const payment of granted.keys()) for (const { y } of payment.coins) ownedBy.set(y, payment);
  /** A proof that two refused tokens share is lost once. */
  const accounted = new Set<string>();
  let refusedUnspent = 0;
  for (const payment of payments) {
    const people = granted.get(payment)?.length ?? 0;
    if (people > 1) {
      findings.grantedTwice(`a token of ${payment.plan.faceSat} sat was granted to ${people} keys`);
    }
    const isGranted = people > 0;
    // Of two tokens that overlap, the proofs of one that was granted say nothing of the other.
    const own = payment.coins.filter(({ y }) => isGranted || !ownedBy.has(y));
    for (const { y, amountSat } of own) {
      const why = accounted.has(y) ? undefined : lossOf(payment, isGranted, states.get(y) !== "UNSPENT");
      if (why === undefined) continue;
      accounted.add(y);
      findings.lose(amountSat, why);
    }
    const isUnspent = own.every(({ y }) => states.get(y) === "UNSPENT");
    if (!isGranted && !payment.spentElsewhere && isUnspent) refusedUnspent += 1;
    const booked = grantedSalesOf(payment, book.sales);
    if (booked !== (isGranted ? 1 : 0)) {
      const not = isGranted ? "" : "not ";
      findings.wrong(`a token that was ${not}granted has ${booked} granted sales in the book`);
    }
  }
  return refusedUnspent;
}

function lossOf(payment: Payment, isGranted: boolean, isSpent: boolean): string | undefined {
  if (isGranted && payment.spentElsewhere) return "granted, and the buyer has his proof back";
  if (isGranted && !isSpent) return "granted for a proof that is unspent";
  if (!isGranted && !payment.spentElsewhere && isSpent) return "spent, and its buyer has no tunnel";
  return undefined;
}

function grantedSalesOf({ coins }: Payment, sales: readonly SaleAsRead[]): number {
  const paidWith = new Set(coins.map(({ y }) => y));
  const isFor = ({ ys }: SaleAsRead) => ys.length === paidWith.size && ys.every((y) => paidWith.has(y));
  return sales.filter((sale) => sale.state === "granted" && isFor(sale)).length;
}
