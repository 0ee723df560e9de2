import { createHmac } from "node:crypto";
import { wireguardPublicKey } from "../../wireguard/public-key.ts";

/** Throw-away keys of the doctor as a buyer. */
export interface Buyer {
  nostrKey: Uint8Array;
  privateKey: string;
  publicKey: string;
}

/** Made from the token, and so the same at the next try: whoever repeats a purchase is given the same tunnel. */
export function buyerOf(token: string): Buyer {
  const derive = (purpose: string) =>
    createHmac("sha256", `europa-node doctor ${purpose}`).update(token).digest();
  const privateKey = derive("wireguard").toString("base64");
  return { nostrKey: derive("nostr"), privateKey, publicKey: wireguardPublicKey(privateKey) };
}
