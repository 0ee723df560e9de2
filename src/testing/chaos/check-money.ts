import { type Evidence, type Findings, sum } from "./evidence.ts";
import { feeSat } from "./mint-record.ts";
import type { Payment } from "./payments.ts";

/** The operator has, in book and wallet, unspent and good for spending, what was paid less the mint's fees. */
export function checkMoney(
  { book, wallet, states, fees, walletWorthSat }: Evidence,
  granted: readonly Payment[],
  { lose, wrong }: Findings,
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
  if (bookedSat !== earnedSat) wrong(`earned ${earnedSat} sat, the book has proofs of ${bookedSat}`);
  if (walletWorthSat !== unspentSat) {
    lose(
      Math.abs(unspentSat - walletWorthSat),
      `the mint took only ${walletWorthSat} of the wallet's ${unspentSat}`,
    );
  }
  const paid = book.sales.filter(({ state }) => state === "granted");
  const bookedFeeSat = sum(paid.map((sale) => sale.feeSat));
  const feesSat = sum(granted.map(({ plan }) => plan.faceSat)) - earnedSat;
  if (bookedFeeSat !== feesSat) wrong(`fees were ${feesSat} sat, the book has ${bookedFeeSat}`);
}
