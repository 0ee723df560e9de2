import { checkInvoices, type LightningFigures } from "./check-invoices.ts";
import { checkMoney } from "./check-money.ts";
import { checkTokens } from "./check-tokens.ts";
import { checkTunnels } from "./check-tunnels.ts";
import type { Pursuit } from "./crowd.ts";
import { claimsOf, type Evidence, type Findings, sum } from "./evidence.ts";

export interface Verdict {
  /** Tokens that were sent and invoices that were paid. */
  sales: number;
  satIn: number;
  granted: number;
  /** Of the above. */
  lightning: LightningFigures;
  /** Over Lightning nothing that is paid is refused. */
  refusedUnspent: number;
  /** By their buyers, at the mint: neither granted nor unspent, and nobody's loss. */
  takenBack: number;
  owed: number;
  /** Sat that buyer or operator paid or earned and do not have. */
  lost: number;
  doubleGranted: number;
  /** Everything that is not as it must be, in words. */
  problems: string[];
}

export function judge(evidence: Evidence): Verdict {
  const { crowd, book } = evidence;
  const claims = claimsOf(crowd);
  const verdict: Verdict = {
    sales: claims.payments.length,
    satIn: sum([...claims.granted.keys()].map((payment) => payment.plan.faceSat)),
    granted: claims.granted.size,
    lightning: { invoices: 0, sales: 0, satIn: 0, granted: 0 },
    refusedUnspent: 0,
    takenBack: claims.payments.filter(({ spentElsewhere }) => spentElsewhere).length,
    owed: book.sales.filter(({ state }) => ["swapping", "paid", "owed"].includes(state)).length,
    lost: 0,
    doubleGranted: 0,
    problems: [...crowd.problems],
  };
  const wrong = (what: string) => void verdict.problems.push(what);
  const findings: Findings = {
    wrong,
    lose(sat, why) {
      verdict.lost += sat;
      wrong(`${sat} sat: ${why}`);
    },
    grantedTwice(why) {
      verdict.doubleGranted += 1;
      wrong(why);
    },
  };
  if (verdict.owed > 0) wrong(`${verdict.owed} sales did not come to rest`);
  for (const pursuit of crowd.pursuits) checkPursuit(pursuit, findings);
  verdict.refusedUnspent = checkTokens(evidence, claims, findings);
  verdict.lightning = checkInvoices(evidence, findings);
  verdict.sales += verdict.lightning.sales;
  verdict.satIn += verdict.lightning.satIn;
  verdict.granted += verdict.lightning.granted;
  checkTunnels(evidence, findings);
  checkMoney(evidence, [...claims.granted.keys()], findings);
  return verdict;
}

const DESERVED = ["double-spent", "no-ip-available", "invalid-token"];

/** Whoever kept repeating has a `.conf` or a definite refusal, and the refusals are those that his token deserves. */
function checkPursuit({ payment, outcome, isMove, lastReason }: Pursuit, { wrong }: Findings): void {
  if (outcome === undefined) {
    wrong(`a buyer never had a definite answer, the last was ${lastReason ?? "none"}`);
  } else if (outcome.kind === "refused" && isMove) {
    wrong(`a tunnel was not moved: ${outcome.reason}`);
  } else if (outcome.kind === "refused" && !DESERVED.includes(outcome.reason)) {
    wrong(`a token of ${payment.plan.faceSat} sat: ${outcome.reason}`);
  }
}
