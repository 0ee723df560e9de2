import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import {
  Amount,
  blindMessage,
  createSecret,
  getEncodedToken,
  Mint,
  OutputData,
  type Proof,
  Wallet,
} from "@cashu/cashu-ts";

/** Conditions of NUT-11, or of NUT-14 with `hash`. Written into the secret as they stand, sensible or not. */
export interface TokenLock {
  /** 66 hex digits. */
  pubkey: string;
  /** Unix seconds. */
  locktime?: number;
  refundKeys?: string[];
  /** Further keys that may sign. */
  pubkeys?: string[];
  nSigs?: number;
  nSigsRefund?: number;
  sigFlag?: string;
  /** SHA-256 of the preimage, hex: an HTLC whose key is `pubkey`. */
  hash?: string;
}

export interface MintTokenOptions {
  mintUrl: string;
  amountSat: number;
  /** Left out: a token that anyone may spend. */
  lock?: TokenLock;
  /** Default `cashuB`. */
  encoding?: "cashuA" | "cashuB";
  /** The amount of each proof; they add up to `amountSat`. Default: as few as possible. */
  denominations?: number[];
  /** The very secret of each proof, by its index, in the place of what `lock` says. */
  secretOverride?: (index: number) => string;
  /** The spelling of the mint's URL inside the token. Default: `mintUrl`. */
  tokenMintUrl?: string;
  /** Default `sat`. */
  unit?: string;
}

export interface MintedToken {
  token: string;
  proofs: Proof[];
}

const QUOTE_DEADLINE_MS = 20_000;
const QUOTE_POLL_MS = 100;

/** What a buyer's wallet does: asks the mint for a quote, waits until it is paid, mints, writes the token. */
export async function mintToken(options: MintTokenOptions): Promise<MintedToken> {
  const { mintUrl, amountSat, lock, encoding = "cashuB", unit = "sat" } = options;
  const wallet = await loadWallet(mintUrl, unit);
  const { id, keys } = wallet.getKeyset();
  const denominations = options.denominations ?? splitIntoPowersOfTwo(amountSat);
  const secretOf = options.secretOverride ?? (() => (lock ? lockedSecret(lock) : plainSecret()));
  const outputs = denominations.map((amount, index) => blindedOutput(amount, id, secretOf(index)));

  const { quote } = await wallet.createMintQuoteBolt11(amountSat);
  await untilPaid(wallet, quote);
  const signatures = await wallet.mint.mintBolt11({
    quote,
    outputs: outputs.map(({ blindedMessage }) => blindedMessage),
  });
  const proofs = outputs.map((output, index) => {
    const signature = signatures.signatures[index];
    if (!signature) throw new Error("the mint signed too few outputs");
    return output.toProof(signature, { id, keys });
  });
  return { token: encodeToken(proofs, options.tokenMintUrl ?? mintUrl, encoding, unit), proofs };
}

/** A token of these proofs, as a wallet would write it. */
export function encodeToken(
  proofs: Proof[],
  mintUrl: string,
  encoding: "cashuA" | "cashuB" = "cashuB",
  unit = "sat",
): string {
  if (encoding === "cashuB") return getEncodedToken({ mint: mintUrl, proofs, unit });
  const plain = proofs.map((proof) => ({ ...proof, amount: proof.amount.toNumber() }));
  const json = JSON.stringify({ token: [{ mint: mintUrl, proofs: plain }], unit });
  return `cashuA${Buffer.from(json).toString("base64url")}`;
}

/** NUT-07, in the order of the proofs. */
export async function proofStates(
  mintUrl: string,
  proofs: readonly Pick<Proof, "secret" | "id">[],
): Promise<("UNSPENT" | "PENDING" | "SPENT")[]> {
  const wallet = new Wallet(mintUrl);
  const states = await wallet.checkProofsStates(proofs.map(({ secret, id }) => ({ secret, id })));
  return states.map(({ state }) => state);
}

/** By mint and unit. A mint's keys cannot change under an id, and a rotation shows in `keysetIsActive`. */
const wallets = new Map<string, Promise<Wallet>>();

async function loadWallet(mintUrl: string, unit: string): Promise<Wallet> {
  const key = `${mintUrl} ${unit}`;
  const cached = await wallets.get(key)?.catch(() => undefined);
  if (cached && (await keysetIsActive(mintUrl, cached.keysetId))) return cached;
  const loading = (async () => {
    const wallet = new Wallet(mintUrl, { unit });
    await wallet.loadMint();
    return wallet;
  })();
  wallets.set(key, loading);
  return loading;
}

async function keysetIsActive(mintUrl: string, keysetId: string): Promise<boolean> {
  const { keysets } = await new Mint(mintUrl).getKeySets();
  return keysets.some(({ id, active }) => id === keysetId && active);
}

async function untilPaid(wallet: Wallet, quote: string) {
  const deadline = Date.now() + QUOTE_DEADLINE_MS;
  while ((await wallet.checkMintQuoteBolt11(quote)).state !== "PAID") {
    if (Date.now() > deadline) throw new Error("the mint's quote was not paid in time");
    await sleep(QUOTE_POLL_MS);
  }
}

function blindedOutput(amount: number, id: string, secret: string): OutputData {
  const { B_, r, secret: bytes } = blindMessage(new TextEncoder().encode(secret));
  return new OutputData({ amount: Amount.from(amount), B_: B_.toHex(true), id }, r, bytes);
}

function plainSecret(): string {
  return randomBytes(32).toString("hex");
}

/** The well-known secret (NUT-10) of a lock, with a fresh nonce. */
export function lockedSecret(lock: TokenLock): string {
  const keys = [...(lock.hash ? [lock.pubkey] : []), ...(lock.pubkeys ?? [])];
  const tags = [
    ["sigflag", lock.sigFlag],
    ["n_sigs", lock.nSigs],
    ["locktime", lock.locktime],
    ["n_sigs_refund", lock.nSigsRefund],
    ["pubkeys", ...keys],
    ["refund", ...(lock.refundKeys ?? [])],
  ].filter(([, value]) => value !== undefined);
  const written = tags.map((tag) => tag.map(String));
  return lock.hash ? createSecret("HTLC", lock.hash, written) : createSecret("P2PK", lock.pubkey, written);
}

function splitIntoPowersOfTwo(amount: number): number[] {
  const parts: number[] = [];
  for (let bit = 1; bit <= amount; bit *= 2) if (Math.floor(amount / bit) % 2 === 1) parts.push(bit);
  return parts;
}
