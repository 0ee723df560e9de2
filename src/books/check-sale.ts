import type { BookedSale } from "./books-store.ts";

export function isPaidSale({ state }: BookedSale): boolean {
  return state === "paid" || state === "owed" || state === "granted";
}

/** What a mint that answered wrongly kept of a sale, in sat. */
export function lossOf(sale: BookedSale): number {
  return isPaidSale(sale) && sale.isFlawed ? sale.faceSat - sale.feeSat - sale.receivedSat : 0;
}

/** What does not fit in one sale; empty when all does. */
export function checkSale(sale: BookedSale): string[] {
  return isPaidSale(sale) ? checkPaid(sale) : checkUnpaid(sale);
}

function checkPaid(sale: BookedSale): string[] {
  const { state, faceSat, feeSat, receivedSat, proofSat, inputs, sessionId, hasSession } = sale;
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
  if (sale.paidAt === null) wrong.push("it is paid, and has no time of payment");
  if (state !== "granted") return wrong;
  if (sale.grantedAt === null) wrong.push("it is granted, and has no time of the grant");
  if (sessionId === null || !hasSession) wrong.push("it is granted, and has no session");
  return wrong;
}

function checkUnpaid({ state, proofSat, inputs, paidAt }: BookedSale): string[] {
  const wrong: string[] = [];
  if (proofSat !== 0) wrong.push(`it is ${state}, and proofs of ${proofSat} sat came of it`);
  if (paidAt !== null) wrong.push(`it is ${state}, and has a time of payment`);
  if (state === "swapping" && inputs === 0)
    wrong.push("its swap is open, and it claims no proof of the buyer's");
  if (state === "released" && inputs > 0)
    wrong.push("it is released, and still claims proofs of the buyer's");
  return wrong;
}
