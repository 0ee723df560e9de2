import { type Bought, bought } from "../../protocol/price.ts";
import type { BookAsRead, SessionAsRead } from "./book-reader.ts";
import { boughtWith } from "./check-invoices.ts";
import { type Evidence, type Findings, sum } from "./evidence.ts";
import type { Person } from "./people.ts";

/** One session per buyer, with the address of his `.conf`, and with exactly what he bought. */
export function checkTunnels(evidence: Evidence, { wrong, grantedTwice }: Findings): void {
  const { crowd, book, peers } = evidence;
  const paidMsat = new Map(
    evidence.invoices.flatMap((invoice) =>
      invoice.isPaid ? [[invoice.paymentHash, invoice.paidMsat] as const] : [],
    ),
  );
  const served = crowd.people.filter((person) => boughtBy(person, paidMsat).length > 0);
  const held = book.sessions.filter(({ status }) => status === "pending").length;
  if (held > 0) wrong(`${held} addresses are held, and nobody has paid for them`);
  const active = book.sessions.filter(({ status }) => status === "active");
  const byKey = new Map<string, SessionAsRead[]>();
  for (const session of active)
    byKey.set(session.publicKey, [...(byKey.get(session.publicKey) ?? []), session]);
  if (byKey.size !== served.length) wrong(`${served.length} buyers have ${byKey.size} keys with a session`);
  if (peers !== byKey.size) wrong(`${byKey.size} keys with a session have ${peers} peers`);
  for (const person of served) {
    const [session, ...more] = byKey.get(person.buyer.wireguard.publicKey) ?? [];
    if (!session || more.length > 0) {
      wrong(`a buyer with a .conf has ${session ? more.length + 1 : 0} sessions`);
      continue;
    }
    if (session.address !== person.address) wrong("a session's address is not that of its .conf");
    const excess = grantedBeyondBought(boughtBy(person, paidMsat), session, book);
    const what = `a session was granted ${excess} s or bytes beyond what was bought`;
    if (excess > 0) grantedTwice(what);
    if (excess < 0) wrong(what);
  }
}

/** With each of his tokens, and with each of his invoices that is paid. */
function boughtBy({ granted, bills }: Person, paidMsat: ReadonlyMap<string, number>): Bought[] {
  return [
    ...granted.map(({ plan }) => bought(plan.faceSat, { ...plan.tier, currency: "sat" })),
    ...bills.flatMap((bill) => {
      const paid = paidMsat.get(bill.invoice.paymentHash);
      return paid === undefined ? [] : [boughtWith(bill, paid)];
    }),
  ];
}

/** Time runs from the first grant of time, and every later one adds to it; nobody here uses any data. */
function grantedBeyondBought(
  quantities: readonly Bought[],
  session: SessionAsRead,
  book: BookAsRead,
): number {
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
