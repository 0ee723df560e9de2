import { createECDH } from "node:crypto";
import { getPublicKey, nip19 } from "nostr-tools";

const HEX_32 = /^[0-9a-f]{64}$/i;

/** The 66 hex public key of a private key in hex; `undefined` for what is no key of secp256k1. */
export function publicKeyOf(privateKeyHex: string): string | undefined {
  if (!HEX_32.test(privateKeyHex)) return undefined;
  const pair = createECDH("secp256k1");
  try {
    pair.setPrivateKey(privateKeyHex, "hex");
  } catch {
    return undefined;
  }
  return pair.getPublicKey("hex", "compressed");
}

/** Hex of an `nsec1…` (NIP-19) or of 64 hex; `undefined` for what is no private key. */
export function readSecretKey(text: string): string | undefined {
  const hex = text.startsWith("nsec1") ? decodeNip19(text, "nsec") : text.toLowerCase();
  return hex !== undefined && publicKeyOf(hex) !== undefined ? hex : undefined;
}

/** Hex of an `npub1…` (NIP-19) or of 64 hex; `undefined` for anything else. */
export function readPubkey(text: string): string | undefined {
  if (text.startsWith("npub1")) return decodeNip19(text, "npub");
  return HEX_32.test(text) ? text.toLowerCase() : undefined;
}

export function nostrPubkeyOf(secretKeyHex: string): string {
  return getPublicKey(Buffer.from(secretKeyHex, "hex"));
}

function decodeNip19(text: string, type: "nsec" | "npub"): string | undefined {
  try {
    const decoded = nip19.decode(text);
    if (decoded.type !== type) return undefined;
    return typeof decoded.data === "string"
      ? decoded.data
      : Buffer.from(decoded.data as Uint8Array).toString("hex");
  } catch {
    return undefined;
  }
}
