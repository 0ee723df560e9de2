import { bought } from "../../protocol/price.ts";
import type { NodeInvoice } from "../lightning/owned-node.ts";
import type { InvoiceAsRead } from "./book-reader.ts";
import { type Evidence, type Findings, sum } from "./evidence.ts";
import type { Bill } from "./people.ts";

/** What was sold over Lightning. */
export interface LightningFigures {
  /** Given out, paid or not. */
  invoices: number;
  /** Paid, by the node's ledger. */
  sales: number;
  satIn: number;
  granted: number;
}

/** The node's ledger against the book, and against what its payers were given. */
export function checkInvoices({ crowd, book, invoices }: Evidence, findings: Findings): LightningFigures {
  const booked = new Map<string, InvoiceAsRead>();
  for (const sale of book.invoices) booked.set(sale.paymentHash, sale);
  const billed = new Map(crowd.payers.bills.map((bill) => [bill.invoice.paymentHash, bill]));
  let granted = 0;
  for (const invoice of invoices) {
    const bill = billed.get(invoice.paymentHash);
    const sale = booked.get(invoice.paymentHash);
    if (bill && invoice.isPaid) granted += checkPaid(bill, invoice, sale, findings) ? 1 : 0;
    else checkUnpaid(invoice, sale, findings);
  }
  const paid = invoices.filter(({ isPaid }) => isPaid);
  checkSums(paid, book.invoices, findings);
  const open = book.invoices.filter(({ state }) => state === "invoicing" || state === "invoiced").length;
  if (open > 0) findings.wrong(`${open} unpaid invoices are still open`);
  return {
    invoices: billed.size,
    sales: paid.length,
    satIn: Math.floor(sum(paid.map(({ paidMsat }) => paidMsat)) / 1000),
    granted,
  };
}

/** Exactly one granted sale, over what was paid. Answers whether there is one. */
function checkPaid(
  bill: Bill,
  { paidMsat, feeMsat }: NodeInvoice,
  sale: InvoiceAsRead | undefined,
  { lose, wrong }: Findings,
): boolean {
  if (!bill.isClaimed) wrong(`a payer never had his .conf, the last answer was ${bill.lastReason ?? "none"}`);
  if (sale?.state === "paid" || sale?.state === "owed") return false;
  if (sale?.state !== "granted") {
    lose(paidMsat / 1000, `paid over Lightning, and the sale is ${sale?.state ?? "not in the book"}`);
    return false;
  }
  const { seconds, bytes } = boughtWith(bill, paidMsat);
  if (sale.boughtSeconds !== seconds || sale.boughtBytes !== bytes)
    wrong(
      `paid for ${seconds} s and ${bytes} bytes, granted ${sale.boughtSeconds} s and ${sale.boughtBytes} bytes`,
    );
  if (sale.receivedMsat !== paidMsat - feeMsat || sale.feeMsat !== feeMsat)
    wrong(`the node received ${paidMsat - feeMsat} msat, the book says ${sale.receivedMsat ?? "nothing"}`);
  return true;
}

/** Rule 24. */
export function boughtWith({ plan }: Bill, paidMsat: number) {
  return bought(Math.max(plan.amountSat, paidMsat / 1000), { ...plan.tier, currency: "sat" });
}

function checkUnpaid({ isPaid }: NodeInvoice, sale: InvoiceAsRead | undefined, { wrong }: Findings): void {
  if (isPaid) wrong("an invoice was paid that nobody was given");
  else if (sale && ["paid", "owed", "granted"].includes(sale.state))
    wrong(`an invoice that is not paid has a sale that is ${sale.state}`);
}

/** In sum too: a sale for which the node has no invoice would be in no other check. */
function checkSums(
  paid: readonly NodeInvoice[],
  booked: readonly InvoiceAsRead[],
  { wrong }: Findings,
): void {
  const paidMsat = sum(paid.map((invoice) => invoice.paidMsat));
  const bookedMsat = sum(booked.map(({ receivedMsat, feeMsat }) => (receivedMsat ?? 0) + (feeMsat ?? 0)));
  if (paidMsat !== bookedMsat) wrong(`${paidMsat} msat were paid over Lightning, the book has ${bookedMsat}`);
  const grantedSales = booked.filter(({ state }) => state === "granted").length;
  if (grantedSales > paid.length)
    wrong(`${paid.length} invoices were paid, and ${grantedSales} were granted`);
}
