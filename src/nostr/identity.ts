import { decode } from "nostr-tools/nip19";
import { getPublicKey } from "nostr-tools/pure";

/** The operator's Nostr account. The secret key is not enumerable, so that no logger or JSON prints it. */
export interface Identity {
  readonly secretKey: Uint8Array;
  readonly pubkeyHex: string;
}

const WANTED = "write the secret key as nsec1… or as 64 hex digits";

/** Reads `nsec1…` (NIP-19) or 64 hex digits. Throws an Error whose message never holds the text. */
export function readIdentity(text: string): Identity {
  const secretKey = readSecretKey(text.trim());
  let pubkeyHex: string;
  try {
    pubkeyHex = getPublicKey(secretKey);
  } catch {
    throw new Error(`the Nostr secret key is outside the curve's range: ${WANTED}`);
  }
  return Object.defineProperty({ pubkeyHex } as Identity, "secretKey", {
    value: secretKey,
    enumerable: false,
  });
}

function readSecretKey(text: string): Uint8Array {
  if (/^[0-9a-f]{64}$/i.test(text)) return Uint8Array.from(Buffer.from(text, "hex"));
  if (/^npub1/i.test(text)) throw new Error(`the Nostr key is a public one (npub1…): ${WANTED}`);
  if (!/^nsec1/i.test(text)) throw new Error(`the Nostr key is none: ${WANTED}`);
  const secretKey = decodeNsec(text);
  if (secretKey === undefined) throw new Error("the nsec1… is mistyped: its checksum does not fit");
  return secretKey;
}

/** The decoder's own errors quote their input, so they end here. */
function decodeNsec(text: string): Uint8Array | undefined {
  try {
    const decoded = decode(text.toLowerCase());
    return decoded.type === "nsec" ? decoded.data : undefined;
  } catch {
    return undefined;
  }
}
