import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";

export interface WireguardKeyPair {
  /** 32 bytes, base64. */
  privateKey: string;
  publicKey: string;
}

/** PKCS#8 of an X25519 private key up to its 32 bytes (RFC 8410). */
const PKCS8_HEAD = Buffer.from("302e020100300506032b656e04220420", "hex");

export function generateWireguardKeys(): WireguardKeyPair {
  const { privateKey, publicKey } = generateKeyPairSync("x25519");
  const seed = privateKey.export({ format: "der", type: "pkcs8" }).subarray(PKCS8_HEAD.length);
  return { privateKey: seed.toString("base64"), publicKey: rawPublicKey(publicKey) };
}

/** What `wg pubkey` prints. */
export function wireguardPublicKey(privateKey: string): string {
  const der = Buffer.concat([PKCS8_HEAD, Buffer.from(privateKey, "base64")]);
  return rawPublicKey(createPublicKey(createPrivateKey({ key: der, format: "der", type: "pkcs8" })));
}

function rawPublicKey(publicKey: KeyObject): string {
  return publicKey.export({ format: "der", type: "spki" }).subarray(-32).toString("base64");
}
