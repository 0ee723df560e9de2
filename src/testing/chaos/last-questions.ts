import type { Answer } from "../buyer.ts";
import type { Crowd } from "./crowd.ts";
import type { LightningRequests } from "./lightning-requests.ts";
import type { Bill } from "./people.ts";
import { outcomeOf } from "./purchases.ts";

interface Asked {
  crowd: Crowd;
  requests: LightningRequests;
  /** Of the node's invoices, by payment hash. */
  preimages: ReadonlyMap<string, string>;
}

/** Everybody asks once more for what he has paid for, and for what he has not. */
export async function askAllOnceMore({ crowd, requests, preimages }: Asked): Promise<void> {
  const wrong = (what: string) => void crowd.problems.push(what);
  for (const person of crowd.people) {
    if (person.granted.length === 0) continue;
    const answer = await crowd.repeat(person);
    if (answer?.status !== 200) wrong(`a repeated request was answered ${answer?.status ?? "not at all"}`);
  }
  for (const bill of crowd.payers.bills) {
    const { paymentHash } = bill.invoice;
    const preimage = preimages.get(paymentHash) ?? "";
    const isPaid = bill.preimage !== undefined;
    const verified = await requests.verify(paymentHash);
    const claimed = await requests.claim(paymentHash, preimage);
    if (verified?.settled !== isPaid || verified.preimage !== (isPaid ? preimage : null))
      wrong(`an invoice that is ${isPaid ? "" : "not "}paid was verified otherwise`);
    if (isPaid ? !isHisTunnel(bill, claimed) : claimed?.body.reason !== "payment-required")
      wrong(
        `the preimage of an invoice that is ${isPaid ? "" : "not "}paid was answered ${claimed?.status ?? "not at all"}`,
      );
  }
}

function isHisTunnel({ person }: Bill, answer: Answer | undefined): boolean {
  const outcome = outcomeOf(answer);
  return outcome?.kind === "granted" && outcome.address === person.address;
}
