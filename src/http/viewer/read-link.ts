import { decodeBase64 } from "../../protocol/base64.ts";
import { type ConfFlaw, type ConfReading, type OwnServer, readConf } from "./read-conf.ts";

export interface Link {
  /** The .conf that was sealed before the payment; `undefined` when the link brings none. */
  sealed: ConfReading | { flaw: "unreadable" } | undefined;
  /** 64 lower-case hex; `undefined` when the link brings none, or half of one. */
  preimage: string | undefined;
}

export type LinkFlaw = ConfFlaw | "unreadable";

/** A sealed link has at most 3071: its ciphertext is 4 kB of base64 at most (LUD-10). */
const MAX_FRAGMENT_CHARACTERS = 4_096;

/** `<base64url of the .conf>.<preimage>`; older links end before the dot. Never throws. */
export function readLink(fragment: string, server: OwnServer): Link {
  if (fragment.length > MAX_FRAGMENT_CHARACTERS) return { sealed: { flaw: "too-long" }, preimage: undefined };
  const [encoded = "", tail = "", ...more] = fragment.split(".");
  if (more.length > 0) return { sealed: { flaw: "unreadable" }, preimage: undefined };
  const preimage = readPreimage(tail);
  if (encoded === "") return { sealed: undefined, preimage };
  const text = decodeText(encoded);
  return { sealed: text === undefined ? { flaw: "unreadable" } : readConf(text, server), preimage };
}

/** The preimage out of what was typed or pasted: 64 hex of either case. */
export function readPreimage(typed: string): string | undefined {
  const preimage = typed.trim().toLowerCase();
  return /^[0-9a-f]{64}$/.test(preimage) ? preimage : undefined;
}

function decodeText(encoded: string): string | undefined {
  const bytes = decodeBase64(encoded);
  if (bytes === undefined) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
