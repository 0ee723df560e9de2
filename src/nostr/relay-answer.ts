/** What one relay made of one event. */
export type RelayAnswer =
  | { url: string; kind: "acknowledged" }
  /** `permanent`: the same bytes will never be taken by this relay. */
  | { url: string; kind: "refused"; said: string; permanent: boolean }
  | { url: string; kind: "no-answer"; why: string };

const LONGEST_TEXT = 200;

/** NIP-01 `OK`: `duplicate` means that the relay has the event, whatever the flag beside it says. */
export function readOk(url: string, accepted: unknown, text: unknown): RelayAnswer {
  const said = tidyRelayText(text);
  if (accepted === true || /^duplicate:/i.test(said)) return { url, kind: "acknowledged" };
  return { url, kind: "refused", said, permanent: isPermanent(said) };
}

/** In words, for logs and for the operator. */
export function describeAnswer(answer: RelayAnswer): string {
  if (answer.kind === "acknowledged") return "acknowledged";
  return answer.kind === "refused" ? answer.said : answer.why;
}

/** A stranger's text, short and on one line. */
export function tidyRelayText(text: unknown): string {
  if (typeof text !== "string" || text.trim() === "") return "refused without a reason";
  return text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")
    .trim()
    .slice(0, LONGEST_TEXT);
}

export function wantsAuthentication(text: unknown): boolean {
  return typeof text === "string" && /^auth-required:/i.test(text);
}

/** A wrong clock, here or there, mends itself; so does a limit on the rate. */
function isPermanent(said: string): boolean {
  if (/^rate-limited:|created_at|timestamp|future|\bdate\b|\btime\b/i.test(said)) return false;
  return /^(blocked|invalid|pow|replaced|deleted):|too (large|big|long)|size limit|max(imum)?\b.*\b(size|length)/i.test(
    said,
  );
}
