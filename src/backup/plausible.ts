import { X509Certificate } from "node:crypto";
import { publicKeyOf, readSecretKey } from "../config/keys.ts";

/** Keys of the config whose files are restored, and what alone such a file can hold. */
const KEY_FILES: Record<string, (content: Buffer) => boolean> = {
  "nostr.nsec_file": (content) => readSecretKey(textOf(content)) !== undefined,
  "cashu.p2pk_privkey_hex_file": (content) => publicKeyOf(textOf(content)) !== undefined,
  // A word without spaces, or LND's macaroon, which begins with its version.
  "lightning.api_token_file": (content) => /^[!-~]+$/.test(textOf(content)) || content[0] === 2,
  "lightning.cert_file": isCertificate,
  "wireguard.private_key": (content) => /^[A-Za-z0-9+/]{43}=$/.test(textOf(content)),
};

export function isKeyFile(name: string): boolean {
  return Object.hasOwn(KEY_FILES, name);
}

/**
 * A recipient's key is public, so anybody can make a file that opens: what is put in place can be what it is called
 * and nothing else, wherever the file says that it belongs.
 */
export function isPlausible(name: string, content: Buffer): boolean {
  return KEY_FILES[name]?.(content) ?? false;
}

function textOf(content: Buffer): string {
  return content.toString("latin1").trim();
}

function isCertificate(content: Buffer): boolean {
  try {
    return new X509Certificate(content).raw.length > 0;
  } catch {
    return false;
  }
}
