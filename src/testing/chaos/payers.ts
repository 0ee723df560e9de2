import { setTimeout as sleep } from "node:timers/promises";
import { readConfigViewerUrl } from "../../protocol/success-action.ts";
import type { Answer } from "../buyer.ts";
import type { OwnedNode } from "../lightning/owned-node.ts";
import type { WalletInvoice } from "../wallet.ts";
import { type Askers, untilKnown } from "./askers.ts";
import type { LightningRequests } from "./lightning-requests.ts";
import { type Bill, keepAddress, type Person } from "./people.ts";
import type { InvoicePlan, PayDetails, PayPlan } from "./plan-invoices.ts";
import { type Outcome, outcomeOf } from "./purchases.ts";

/** Buyers over Lightning: they ask for invoices, pay at the node, and claim with the preimage. */
export interface Payers {
  /** Every invoice that anybody was given, once. */
  bills: Bill[];
  /** Resolves when he has his invoice, or when all give up. He pays as planned, and asks for his tunnel until he has it. */
  order(person: Person, plan: InvoicePlan): Promise<void>;
  /** One request for the `.conf` of an invoice that is paid. */
  claim(bill: Bill): Promise<Answer | undefined>;
  /** How many have an invoice, and will pay it or find that the node does not take it. */
  aboutToPay(): number;
  /** Whoever waited for that pays now. */
  daemonDied(): void;
  /** Nobody waits for another death: who would, pays at once. */
  noMoreDeaths(): void;
}

interface PayersParts {
  askers: Askers;
  requests: LightningRequests;
  node: OwnedNode;
  invoiceSeconds: number;
  note: (answer: string) => void;
  wrong: (what: string) => void;
}

/** Said of the moment. */
const ASK_AGAIN = ["tunnel-unavailable", "rate-limited", "internal"];
/** Whoever is told so often that every tunnel is taken pays somebody else. */
const FULL_ANSWERS = 6;

export function createPayers({ askers, requests, node, invoiceSeconds, note, wrong }: PayersParts): Payers {
  let aboutToPay = 0;
  let deathsAreOver = false;
  const untilDead = new Set<() => void>();

  async function order(person: Person, plan: InvoicePlan): Promise<void> {
    person.asking += 1;
    const invoice = await untilInvoiced(person, plan).finally(() => {
      person.asking -= 1;
    });
    // Who asks twice for the same may have the same invoice twice.
    if (!invoice || payers.bills.some((bill) => bill.invoice.paymentHash === invoice.paymentHash)) return;
    const bill: Bill = {
      person,
      plan,
      invoice,
      preimage: undefined,
      isClaimed: false,
      lastReason: undefined,
    };
    payers.bills.push(bill);
    person.bills.push(bill);
    void payAsPlanned(bill, plan.pays);
  }

  async function untilInvoiced(person: Person, plan: InvoicePlan): Promise<WalletInvoice | undefined> {
    let fullAnswers = 0;
    const known = await untilKnown(
      askers,
      async () => {
        const answer = await requests.invoice(person.buyer, plan);
        note(
          answer?.kind === "refused"
            ? `${answer.status} ${answer.reason} (invoice)`
            : (answer?.kind ?? "no answer"),
        );
        return answer;
      },
      (answer) => {
        if (answer.kind === "invoice") return answer;
        if (answer.kind === "refused" && ASK_AGAIN.includes(answer.reason)) return undefined;
        if (answer.kind === "refused" && answer.reason === "no-ip-available") {
          return ++fullAnswers < FULL_ANSWERS ? undefined : answer;
        }
        wrong(`an invoice was asked for: ${answer.kind === "refused" ? answer.reason : answer.why}`);
        return answer;
      },
    );
    return known?.kind === "invoice" ? known.invoice : undefined;
  }

  async function payAsPlanned(bill: Bill, pays: PayPlan): Promise<void> {
    if (pays.when === "never") return;
    aboutToPay += 1;
    if (pays.when === "daemon-dead") await nextDeath();
    if (pays.when === "later") await sleep(pays.lifetimes * invoiceSeconds * 1000);
    aboutToPay -= 1;
    if (!askers.haveGivenUp()) pay(bill, pays);
  }

  async function nextDeath(): Promise<void> {
    if (!deathsAreOver) await new Promise<void>((dead) => untilDead.add(dead));
  }

  /** Does nothing where the node does not take it, for the invoice is over, or cancelled. */
  function pay(bill: Bill, pays: PayDetails): void {
    if (pays.isMissed) node.breakStreams();
    const { paymentHash } = bill.invoice;
    try {
      const amountMsat = (bill.plan.amountSat + pays.overpaidSat) * 1000;
      node.pay(paymentHash, { amountMsat, feeMsat: pays.keptSat * 1000 });
    } catch {
      return;
    }
    bill.preimage = node.invoices().find((invoice) => invoice.paymentHash === paymentHash)?.preimage;
    if (pays.toldAgainAfterMs !== undefined) {
      void sleep(pays.toldAgainAfterMs).then(() => node.repeatEvent(paymentHash));
    }
    void askers.ask(claimUntilGiven(bill));
  }

  async function claim(bill: Bill): Promise<Answer | undefined> {
    const answer = await requests.claim(bill.invoice.paymentHash, bill.preimage ?? "");
    bill.lastReason = answer?.body.reason;
    note(answer ? `${answer.status} ${answer.body.reason ?? "conf"} (preimage)` : "no answer");
    return answer;
  }

  async function claimUntilGiven(bill: Bill): Promise<void> {
    const { person, invoice, preimage = "" } = bill;
    person.asking += 1;
    const outcome = await untilKnown(
      askers,
      () => claim(bill),
      // The daemon may not have heard yet.
      (answer): Outcome | undefined =>
        answer.body.reason === "payment-required" ? undefined : outcomeOf(answer),
    );
    person.asking -= 1;
    if (outcome?.kind === "refused") wrong(`a payer was refused his tunnel: ${outcome.reason}`);
    if (outcome?.kind !== "granted") return;
    bill.isClaimed = true;
    const changed = keepAddress(person, outcome.address);
    if (changed !== undefined) wrong(changed);
    const view = readConfigViewerUrl(invoice.decipher(preimage) ?? "");
    if (view?.preimage !== preimage) wrong("a success action does not open with its preimage");
  }

  function daemonDied(): void {
    for (const dead of untilDead) dead();
    untilDead.clear();
  }

  const payers: Payers = {
    bills: [],
    order: (person, plan) => askers.ask(order(person, plan)),
    claim,
    aboutToPay: () => aboutToPay,
    daemonDied,
    noMoreDeaths() {
      deathsAreOver = true;
      daemonDied();
    },
  };
  return payers;
}
