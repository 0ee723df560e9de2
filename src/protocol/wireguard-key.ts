import { decodeBase64 } from "./base64.ts";
import { Refusal } from "./refusal.ts";

const KEY_BYTES = 32;
const FIELD = 2n ** 255n - 19n;

/**
 * The u-coordinates of all points of low order on curve25519 and its twist (RFC 7748 section 6.1, and D. J.
 * Bernstein's list): with any of them every private key gives the same all-zero secret.
 */
const LOW_ORDER: readonly bigint[] = [
  0n,
  1n,
  FIELD - 1n,
  325606250916557431795983626356110631294008115727848805560023387167927233504n,
  39382357235489614581723060781553021112529911719440698176882885853963445705823n,
];

/** 32 bytes in base64 that re-encodes to itself (`wg` takes no other spelling). */
export function isWireguardKey(text: string): boolean {
  return /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/.test(text);
}

/**
 * The buyer's public key, if a tunnel can come up with it. Throws `Refusal` `no-client-pubkey` when it is
 * missing, `bad-request` when it is no key, of low order (zero included), or the server's own.
 */
export function checkClientKey(value: unknown, serverKey: string): string {
  if (value === undefined || value === null || value === "") {
    throw new Refusal(
      "no-client-pubkey",
      "client_pubkey is missing: send your WireGuard public key (the output of `wg pubkey`).",
    );
  }
  if (typeof value !== "string" || !isWireguardKey(value)) {
    throw new Refusal(
      "bad-request",
      "client_pubkey is no WireGuard public key: it must be 44 characters of base64, as `wg pubkey` prints it.",
    );
  }
  const point = pointOf(value);
  if (LOW_ORDER.includes(point)) {
    throw new Refusal(
      "bad-request",
      "client_pubkey gives no secure tunnel (a point of low order): make a new key with `wg genkey | wg pubkey`.",
    );
  }
  if (value === serverKey || (isWireguardKey(serverKey) && point === pointOf(serverKey))) {
    throw new Refusal(
      "bad-request",
      "client_pubkey is this server's own key: send the public key of your device.",
    );
  }
  return value;
}

/** RFC 7748 section 5: little-endian, top bit ignored, reduced; every spelling of a point gives one number. */
function pointOf(key: string): bigint {
  const bytes = decodeBase64(key) ?? new Uint8Array(KEY_BYTES);
  const words = new DataView(bytes.buffer);
  const encoded = [24, 16, 8, 0].reduce((number, at) => (number << 64n) | words.getBigUint64(at, true), 0n);
  return BigInt.asUintN(255, encoded) % FIELD;
}
