export type Status = "ok" | "warn" | "fail" | "unseen";

/** What came of one look. `seen` and `mend` are for the operator, and hold no secret and nothing of a buyer. */
export interface Finding {
  status: Status;
  seen: string;
  /** What to do on this very host. A command stands at its end, after a colon. */
  mend?: string | undefined;
}

export const ok = (seen: string): Finding => ({ status: "ok", seen });
export const warn = (seen: string, mend: string): Finding => ({ status: "warn", seen, mend });
export const fail = (seen: string, mend: string): Finding => ({ status: "fail", seen, mend });
/** Nothing is said of what was not looked at; `seen` says why. */
export const unseen = (seen: string, mend?: string): Finding => ({ status: "unseen", seen, mend });

/** The daemon's words for trouble: what is wrong, a semicolon, how to mend it. */
export function inTwo(words: string): { seen: string; mend: string } {
  const [seen = "", ...mend] = words.split("; ");
  return { seen, mend: mend.join("; ") };
}
