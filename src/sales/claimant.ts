import { createHmac } from "node:crypto";

/** Tells the same buyer and key again without keeping either in clear. */
export interface Claimant {
  buyerHash: string;
  keyHash: string;
}

export function claimant(secret: Buffer, buyerPubkey: string, clientKey: string): Claimant {
  return { buyerHash: keyedHash(secret, "buyer", buyerPubkey), keyHash: keyHashOf(secret, clientKey) };
}

export function keyHashOf(secret: Buffer, clientKey: string): string {
  return keyedHash(secret, "key", clientKey);
}

function keyedHash(secret: Buffer, what: string, value: string): string {
  return createHmac("sha256", secret).update(`${what}:${value}`).digest("hex");
}
