import { generateKeyPairSync } from "node:crypto";
import { PKCS8_HEAD, rawPublicKey } from "../wireguard/public-key.ts";

export { wireguardPublicKey } from "../wireguard/public-key.ts";

export interface WireguardKeyPair {
  /** 32 bytes, base64. */
  privateKey: string;
  publicKey: string;
}

export function generateWireguardKeys(): WireguardKeyPair {
  const { privateKey, publicKey } = generateKeyPairSync("x25519");
  const seed = privateKey.export({ format: "der", type: "pkcs8" }).subarray(PKCS8_HEAD.length);
  return { privateKey: seed.toString("base64"), publicKey: rawPublicKey(publicKey) };
}
