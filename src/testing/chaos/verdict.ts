import { bought } from "../../protocol/price.ts";
import type { BookAsRead, SessionAsRead } from "./book-reader.ts";
import type { Crowd, Person, Pursuit } from "./crowd.ts";
import { type CoinState, feeSat } from "./mint-record.ts";
import type { Payment } from "./payments.ts";

/** All that is looked at from outside once everything has come to rest. */
export interface Evidence {
  crowd: Crowd;
  book: BookAsRead;
  /** The mint's word, of every proof that anybody ever had. */
  states: ReadonlyMap<string, CoinState>;
  /** Input fees in thousandths of a sat, by keyset id. */
  fees: ReadonlyMap<string, number>;
  /** The operator's proofs as a fresh NIP-60 client reads them. */
  wallet: { secret: string; amountSat: number; y: string }[];
  /** What the mint gave for those proofs when they were spent. */
  walletWorthSat: number;
  /** Peers that a fresh daemon put on its interface. */
  peers: number;
}

export interface Verdict {
  sales: number;
  satIn: number;
  granted: number;
  refusedUnspent: number;
  owed: number;
  /** Sat that buyer or operator paid or earned and do not have. */
  lost: number;
  doubleGranted: number;
  /** Everything that is not as it must be, in words. */
  problems: string[];
}

export function judge(evidence: Evidence): Verdict {
  const { crowd, book, states } = evidence;
  const problems = [...crowd.problems];
  const bought = crowd.pursuits.filter((pursuit) => !pursuit.isMove);
  const payments = [...new Set(bought.map(({ payment }) => payment))];
  const granted = new Map<Payment, Person[]>();
  for (const { payment, person, outcome } of bought) {
    if (outcome?.kind === "granted") granted.set(payment, [...(granted.get(payment) ?? []), person]);
  }
  const verdict: Verdict = {
    sales: payments.length,
    satIn: sum([...granted.keys()].map((payment) => payment.plan.faceSat)),
    granted: granted.size,
    refusedUnspent: 0,
    owed: book.sales.filter(({ state }) => !["granted", "released"].includes(state)).length,
    lost: 0,
    doubleGranted: 0,
    problems,
  };
  const lose = (sat: number, why: string) => {
    verdict.lost += sat;
    problems.push(`${sat} sat: ${why}`);
  };

  if (verdict.owed > 0) problems.push(`${verdict.owed} sales did not come to rest`);
  for (const pursuit of crowd.pursuits) problems.push(...checkPursuit(pursuit));
  for (const [payment, people] of granted) {
    if (people.length === 1) continue;
    verdict.doubleGranted += 1;
    problems.push(`a token of ${payment.plan.faceSat} sat was granted to ${people.length} keys`);
  }

  // The mint's record of every token against what its buyers were told.
  const ownedBy = new Map<string, Payment>();
  for (const payment of granted.keys()) for (const { y } of payment.coins) ownedBy.set(y, payment);
  for (const payment of payments) {
    const isGranted = granted.has(payment);
    const free = payment.coins.filter(({ y }) => isGranted || !ownedBy.has(y));
    for (const { y, amountSat } of free) {
      const isSpent = states.get(y) !== "UNSPENT";
      if (isGranted && payment.spentElsewhere) lose(amountSat, "granted, and the buyer has his proof back");
      else if (isGranted && !isSpent) lose(amountSat, "granted for a proof that is unspent");
      else if (!isGranted && !payment.spentElsewhere && isSpent && !isSharedLoss(payment, y, payments)) {
        lose(amountSat, "spent, and its buyer has no tunnel");
      }
    }
    if (!isGranted && !payment.spentElsewhere && free.every(({ y }) => states.get(y) === "UNSPENT")) {
      verdict.refusedUnspent += 1;
    }
    const sales = book.sales.filter(({ ys }) =>
      sameSet(
        ys,
        payment.coins.map(({ y }) => y),
      ),
    );
    const booked = sales.filter(({ state }) => state === "granted").length;
    if (booked !== (isGranted ? 1 : 0)) {
      problems.push(
        `a token that was ${isGranted ? "" : "not "}granted has ${booked} granted sales in the book`,
      );
    }
  }

  checkTunnels(evidence, verdict);
  checkMoney(evidence, [...granted.keys()], lose, problems);
  return verdict;
}

/** A proof that two refused tokens share is lost once. */
function isSharedLoss(payment: Payment, y: string, payments: readonly Payment[]): boolean {
  return payments.find(({ coins }) => coins.some((coin) => coin.y === y)) !== payment;
}

/** Whoever kept repeating has a `.conf` or a definite refusal, and the refusals are those that his token deserves. */
function checkPursuit({ payment, outcome, isMove, lastReason }: Pursuit): string[] {
  if (outcome === undefined)
    return [`a buyer never had a definite answer, the last was ${lastReason ?? "none"}`];
  if (outcome.kind === "granted") return [];
  if (isMove) return [`a tunnel was not moved: ${outcome.reason}`];
  const expected = ["double-spent", "no-ip-available", "invalid-token"];
  return expected.includes(outcome.reason)
    ? []
    : [`a token of ${payment.plan.faceSat} sat: ${outcome.reason}`];
}

/** One session per buyer, with the address of his `.conf`, and with exactly what he bought. */
function checkTunnels({ crowd, book, peers }: Evidence, verdict: Verdict): void {
  const { problems } = verdict;
  const served = crowd.people.filter(({ granted }) => granted.length > 0);
  const active = book.sessions.filter(({ status }) => status === "active");
  const byKey = new Map<string, SessionAsRead[]>();
  for (const session of active)
    byKey.set(session.publicKey, [...(byKey.get(session.publicKey) ?? []), session]);
  if (byKey.size !== served.length)
    problems.push(`${served.length} buyers have ${byKey.size} keys with a session`);
  if (peers !== byKey.size) problems.push(`${byKey.size} keys with a session have ${peers} peers`);
  for (const person of served) {
    const [session, ...more] = byKey.get(person.buyer.wireguard.publicKey) ?? [];
    if (!session || more.length > 0) {
      problems.push(`a buyer with a .conf has ${session ? more.length + 1 : 0} sessions`);
      continue;
    }
    if (session.address !== person.address) problems.push("a session's address is not that of its .conf");
    const excess = grantedBeyondBought(person, session, book);
    if (excess > 0) verdict.doubleGranted += 1;
    if (excess !== 0) problems.push(`a session was granted ${excess} s or bytes beyond what was bought`);
  }
}

/** Time runs from the first grant of time, and every later one adds to it; nobody here uses any data. */
function grantedBeyondBought(person: Person, session: SessionAsRead, book: BookAsRead): number {
  const quantities = person.granted.map(({ plan }) =>
    bought(plan.faceSat, { ...plan.tier, currency: "sat" }),
  );
  const seconds = sum(quantities.map((quantity) => quantity.seconds));
  const bytes = sum(quantities.map((quantity) => quantity.bytes));
  const excessBytes = (session.quotaBytes ?? 0) - bytes;
  const firstTimes = book.sales
    .filter(
      (sale) => sale.sessionId === session.sessionId && sale.state === "granted" && sale.boughtSeconds > 0,
    )
    .map((sale) => sale.grantedAt ?? 0);
  const excessSeconds =
    firstTimes.length === 0
      ? (session.timeUntil ?? 0)
      : (session.timeUntil ?? 0) - Math.min(...firstTimes) - seconds;
  return excessSeconds === 0 ? excessBytes : excessSeconds;
}

/** The operator has, in book and wallet, unspent and good for spending, what was paid less the mint's fees. */
function checkMoney(
  { book, wallet, states, fees, walletWorthSat }: Evidence,
  granted: readonly Payment[],
  lose: (sat: number, why: string) => void,
  problems: string[],
): void {
  const earnedSat = sum(
    granted.map(
      ({ plan, coins }) =>
        plan.faceSat -
        feeSat(
          fees,
          coins.map(({ keysetId }) => keysetId),
        ),
    ),
  );
  const unspentSat = sum(
    wallet.filter(({ y }) => states.get(y) === "UNSPENT").map(({ amountSat }) => amountSat),
  );
  if (unspentSat !== earnedSat) {
    lose(
      Math.abs(earnedSat - unspentSat),
      `earned ${earnedSat}, the wallet on the relays has ${unspentSat} unspent`,
    );
  }
  const bookedSat = sum(book.proofs.map(({ amountSat }) => amountSat));
  if (bookedSat !== earnedSat) problems.push(`earned ${earnedSat} sat, the book has proofs of ${bookedSat}`);
  if (walletWorthSat !== unspentSat) {
    lose(
      Math.abs(unspentSat - walletWorthSat),
      `the mint took only ${walletWorthSat} of the wallet's ${unspentSat}`,
    );
  }
  const paid = book.sales.filter(({ state }) => state === "granted");
  const bookedFeeSat = sum(paid.map((sale) => sale.feeSat));
  const feesSat = sum(granted.map(({ plan }) => plan.faceSat)) - earnedSat;
  if (bookedFeeSat !== feesSat) problems.push(`fees were ${feesSat} sat, the book has ${bookedFeeSat}`);
}

function sameSet(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((one) => others.includes(one));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
