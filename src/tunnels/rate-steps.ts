import { formatPlainNumber } from "../protocol/plain-number.ts";
import { type Rate, spansLeft } from "./rate-spans.ts";
import { bytesLeft, type Terms, timeRuns } from "./terms.ts";

/** How fast a session is up to a moment, or until only so much data is left; neither for one without limits. */
export interface RateStep {
  /** In Mbit/s, each way; null for as fast as it goes. */
  rateMbit: number | null;
  /** Unix seconds. */
  until: number | null;
  untilBytesLeft: number | null;
}

/** From now to the session's end, while the default stays what it is. The first holds now. */
export function rateSteps(terms: Terms, now: number, defaultRate: Rate): RateStep[] {
  const steps = [...timeSteps(terms, now), ...dataSteps(terms)].map((step) => ({
    ...step,
    rateMbit: step.rateMbit ?? defaultRate,
  }));
  if (steps.length === 0) return [{ rateMbit: defaultRate, until: null, untilBytesLeft: null }];
  return steps.filter(({ rateMbit }, index) => rateMbit !== steps[index + 1]?.rateMbit);
}

function timeSteps(terms: Terms, now: number): RateStep[] {
  const { timeUntil, timeRates } = terms;
  if (timeUntil === null || !timeRuns(terms, now)) return [];
  return spansLeft(timeRates, { from: now, until: timeUntil }).map((span) => ({
    ...span,
    untilBytesLeft: null,
  }));
}

function dataSteps(terms: Terms): RateStep[] {
  const { quotaBytes, usedBytes, dataRates } = terms;
  if (quotaBytes === null || bytesLeft(terms) === 0) return [];
  return spansLeft(dataRates, { from: usedBytes, until: quotaBytes }).map(({ until, rateMbit }) => ({
    rateMbit,
    until: null,
    untilBytesLeft: quotaBytes - until,
  }));
}

export function rateInWords(rateMbit: number): string {
  return `${formatPlainNumber(rateMbit)} Mbit/s each way`;
}

/** `50 Mbit/s each way until …, then 10 Mbit/s each way`; undefined where nothing is held back. */
export function ratesInWords(
  steps: readonly RateStep[],
  moment: (unixSeconds: number) => string,
  size: (bytes: number) => string,
): string | undefined {
  if (steps.every(({ rateMbit }) => rateMbit === null)) return undefined;
  return steps
    .map(({ rateMbit, until, untilBytesLeft }, index) => {
      const speed = rateMbit === null ? "no limit" : rateInWords(rateMbit);
      if (index === steps.length - 1) return speed;
      return until === null
        ? `${speed} until ${size(untilBytesLeft ?? 0)} are left`
        : `${speed} until ${moment(until)}`;
    })
    .join(", then ");
}
