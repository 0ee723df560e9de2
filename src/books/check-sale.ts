import type { BookedEcashSale, BookedLightningSale, BookedSale } from "./books-store.ts";

export function isPaidSale({ state }: BookedSale): boolean {
  return state === "paid" || state === "owed" || state === "granted";
}

/** What a mint that answered wrongly kept of a sale, in sat. */
export function lossOf(sale: BookedEcashSale): number {
  return isPaidSale(sale) && sale.isFlawed ? sale.faceSat - sale.feeSat - sale.receivedSat : 0;
}

/** What does not fit in one sale; empty when all does. */
export function checkSale(sale: BookedSale): string[] {
  const wrong = sale.method === "cashu" ? checkProofs(sale) : checkPayment(sale);
  if (!isPaidSale(sale)) {
    if (sale.paidAt !== null) wrong.push(`it is ${sale.state}, and has a time of payment`);
    return wrong;
  }
  if (sale.paidAt === null) wrong.push("it is paid, and has no time of payment");
  return sale.state === "granted" ? [...wrong, ...checkGrant(sale)] : wrong;
}

function checkGrant({ grantedAt, sessionId, hasSession }: BookedSale): string[] {
  const wrong: string[] = [];
  if (grantedAt === null) wrong.push("it is granted, and has no time of the grant");
  if (sessionId === null || !hasSession) wrong.push("it is granted, and has no session");
  return wrong;
}

function checkProofs(sale: BookedEcashSale): string[] {
  return isPaidSale(sale) ? checkTakenIn(sale) : checkUntouched(sale);
}

function checkTakenIn(sale: BookedEcashSale): string[] {
  const { faceSat, feeSat, receivedSat, proofSat, inputs } = sale;
  const wrong: string[] = [];
  if (proofSat !== receivedSat) {
    wrong.push(`${receivedSat} sat came in, and the proofs in the book are ${proofSat} sat`);
  }
  const lossSat = lossOf(sale);
  if (receivedSat + feeSat + lossSat !== faceSat) {
    wrong.push(`${faceSat} sat were paid, ${receivedSat} sat came in and ${feeSat} sat were fees`);
  }
  if (lossSat < 0) wrong.push(`${-lossSat} sat more came in than were paid`);
  if (inputs === 0) wrong.push("it is paid, and claims no proof of the buyer's");
  return wrong;
}

function checkUntouched({ state, proofSat, inputs }: BookedEcashSale): string[] {
  const wrong: string[] = [];
  if (proofSat !== 0) wrong.push(`it is ${state}, and proofs of ${proofSat} sat came of it`);
  if (state === "swapping" && inputs === 0)
    wrong.push("its swap is open, and it claims no proof of the buyer's");
  if (state === "released" && inputs > 0)
    wrong.push("it is released, and still claims proofs of the buyer's");
  return wrong;
}

/** The node's word counts (rule 24), so less than was invoiced is a loss, and no error of the book's. */
function checkPayment(sale: BookedLightningSale): string[] {
  const { state, receivedMsat } = sale;
  if (isPaidSale(sale)) {
    return receivedMsat === null ? ["it is paid, and the book does not say how much came in"] : [];
  }
  return receivedMsat === null ? [] : [`it is ${state}, and ${receivedMsat} msat came in for it`];
}
