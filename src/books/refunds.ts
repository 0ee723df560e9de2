import type { BookDifference, RefundSums } from "./report.ts";

/** A refund with what the book says of its money, in sat. */
export interface BookedRefund {
  refundId: string;
  state: "swapping" | "refunded";
  faceSat: number;
  feeSat: number;
  givenSat: number;
  /** Its mint answered wrongly: what lacks is a booked loss. */
  isFlawed: boolean;
  hasToken: boolean;
  inputs: number;
}

export function sumRefunds(refunds: readonly BookedRefund[]): RefundSums {
  const sums = { refunds: 0, takenSat: 0, givenSat: 0, feeSat: 0, lossSat: 0, open: 0 };
  for (const { state, faceSat, feeSat, givenSat } of refunds) {
    if (state === "swapping") {
      sums.open += 1;
      continue;
    }
    sums.refunds += 1;
    sums.takenSat += faceSat;
    sums.givenSat += givenSat;
    sums.feeSat += feeSat;
    sums.lossSat += faceSat - feeSat - givenSat;
  }
  return sums;
}

export function refundDifferences(refunds: readonly BookedRefund[]): BookDifference[] {
  return refunds.flatMap((refund) =>
    checkRefund(refund).map((what) => ({ saleId: null, what: `refund ${refund.refundId}: ${what}` })),
  );
}

function checkRefund({
  state,
  faceSat,
  feeSat,
  givenSat,
  isFlawed,
  hasToken,
  inputs,
}: BookedRefund): string[] {
  const wrong: string[] = [];
  if (inputs === 0) wrong.push("it claims no proof of the buyer's");
  if (hasToken !== givenSat > 0)
    wrong.push(`${givenSat} sat went out, and its token is ${hasToken ? "" : "not "}there`);
  if (state === "swapping") return wrong;
  const lossSat = faceSat - feeSat - givenSat;
  if (lossSat < 0 || (lossSat > 0 && !isFlawed)) {
    wrong.push(`${faceSat} sat came in, ${givenSat} sat went out and ${feeSat} sat were fees`);
  }
  return wrong;
}
