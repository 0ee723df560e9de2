import { randomBytes } from "node:crypto";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { bech32 } from "@scure/base";

/** What a BOLT11 invoice says. Hashes are 64 hex. */
export interface InvoiceTerms {
  paymentHash: string;
  /** A whole number above 0. */
  amountMsat: number;
  /** SHA-256 of what is paid for. */
  descriptionHash: string;
  expirySeconds: number;
  /** Unix seconds. */
  timestamp: number;
  /** Chain: Bitcoin's `bc`, `tb` for testnet, `bcrt` (the default) for regtest, where money is worth nothing. */
  network?: "bc" | "tb" | "bcrt";
  /** 32 bytes; the node that is paid is known by its public key. */
  privateKey: Uint8Array;
}

const BECH32_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/** Blocks that the last hop must leave us. */
const MIN_FINAL_CLTV_EXPIRY = 80;

/** Bits 8 (var_onion_optin), 14 (payment_secret) and 17 (basic_mpp, optional) of BOLT9, five a word. */
const FEATURES = [0b00100, 0b10000, 0b01000, 0b00000];

/** BOLT11's multipliers in picobitcoin, largest first: the shortest way to write an amount comes first. */
const MULTIPLIERS: [string, bigint][] = [
  ["", 1_000_000_000_000n],
  ["m", 1_000_000_000n],
  ["u", 1_000_000n],
  ["n", 1_000n],
  ["p", 1n],
];

/** A signed invoice (BOLT11), with a random payment secret. Throws `RangeError` on an amount that cannot be asked for. */
export function encodeInvoice(terms: InvoiceTerms): string {
  const prefix = `ln${terms.network ?? "bcrt"}${amountText(terms.amountMsat)}`;
  const data = [
    ...numberWords(terms.timestamp, 7),
    ...tag("p", bytesWords(Buffer.from(terms.paymentHash, "hex"))),
    ...tag("s", bytesWords(randomBytes(32))),
    ...tag("h", bytesWords(Buffer.from(terms.descriptionHash, "hex"))),
    ...tag("x", numberWords(terms.expirySeconds)),
    ...tag("c", numberWords(MIN_FINAL_CLTV_EXPIRY)),
    ...tag("9", FEATURES),
  ];
  const signed = Buffer.concat([Buffer.from(prefix), paddedBytes(data)]);
  return bech32.encode(prefix, [...data, ...signatureWords(signed, terms.privateKey)], false);
}

function amountText(amountMsat: number): string {
  if (!Number.isSafeInteger(amountMsat) || amountMsat <= 0) {
    throw new RangeError("an invoice's amount is a whole number of msat above 0");
  }
  const amountPico = BigInt(amountMsat) * 10n;
  const [letter, pico] = MULTIPLIERS.find(([, size]) => amountPico % size === 0n) ?? ["p", 1n];
  return `${amountPico / pico}${letter}`;
}

/** A tagged field: its letter, how many words follow, the words. */
function tag(letter: string, words: number[]): number[] {
  return [BECH32_ALPHABET.indexOf(letter), ...numberWords(words.length, 2), ...words];
}

function bytesWords(bytes: Uint8Array): number[] {
  return bech32.toWords(bytes);
}

/** Big-endian, five bits a word, filled up with zeros to `length`. */
function numberWords(value: number, length = 1): number[] {
  const words: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 32)) words.unshift(rest % 32);
  while (words.length < length) words.unshift(0);
  return words;
}

/** What is signed is whole bytes: zero bits follow the last word. */
function paddedBytes(words: number[]): Uint8Array {
  const padded = [...words];
  while ((padded.length * 5) % 8 !== 0) padded.push(0);
  return bech32.fromWords(padded).subarray(0, Math.ceil((words.length * 5) / 8));
}

/** r, s, and which of the possible public keys it was: the payee is recovered from it. */
function signatureWords(message: Uint8Array, privateKey: Uint8Array): number[] {
  const [recovery = 0, ...compact] = secp256k1.sign(message, privateKey, { format: "recovered" });
  return bytesWords(Uint8Array.from([...compact, recovery]));
}
