import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";

/** PKCS#8 of an X25519 private key up to its 32 bytes (RFC 8410). */
export const PKCS8_HEAD = Buffer.from("302e020100300506032b656e04220420", "hex");

/** What `wg pubkey` prints. */
export function wireguardPublicKey(privateKey: string): string {
  const der = Buffer.concat([PKCS8_HEAD, Buffer.from(privateKey, "base64")]);
  return rawPublicKey(createPublicKey(createPrivateKey({ key: der, format: "der", type: "pkcs8" })));
}

/** Of an X25519 key, as WireGuard spells it. */
export function rawPublicKey(publicKey: KeyObject): string {
  return publicKey.export({ format: "der", type: "spki" }).subarray(-32).toString("base64");
}
