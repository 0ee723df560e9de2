import { getDecodedTokenBinary } from "@cashu/cashu-ts";
import * as z from "zod";
import { normaliseMintUrl } from "../protocol/mint-url.ts";
import { Refusal } from "../protocol/refusal.ts";
import type { DecodedToken, TokenProof } from "../sales/ports.ts";
import { hashToCurveHex } from "./curve.ts";

const MAX_TOKEN_CHARACTERS = 64 * 1024;
const MAX_PROOFS = 100;
/** Mints bound secrets at 512 to 1024 characters. */
const MAX_SECRET_CHARACTERS = 4096;
/** All bitcoin there will be. */
const MAX_FACE_SAT = 2_100_000_000_000_000;

const hex64 = z.string().regex(/^[0-9a-f]{1,64}$/i);

const proofSchema = z.object({
  amount: z.number().int().positive().max(MAX_FACE_SAT),
  id: z.string().min(1).max(66),
  // Printable ASCII: two secrets that differ as text differ in their bytes, so that Y is as unique as the text.
  secret: z
    .string()
    .max(MAX_SECRET_CHARACTERS)
    .regex(/^[\x20-\x7e]+$/),
  C: z.string().regex(/^0[23][0-9a-f]{64}$/i),
  dleq: z.object({ e: hex64, s: hex64, r: hex64.nullish() }).nullish(),
});

const entrySchema = z.object({
  mint: z.string().max(2048),
  proofs: z.array(proofSchema).min(1),
});

/** NUT-00 V3. */
const tokenASchema = z.object({
  token: z.array(entrySchema).min(1),
  unit: z.string().min(1).max(32).nullish(),
});

/** What the library makes of NUT-00 V4. */
const tokenBSchema = entrySchema.extend({ unit: z.string().min(1).max(32) });

type ReadProof = z.infer<typeof proofSchema>;

interface ReadToken {
  mints: string[];
  unit: string;
  proofs: ReadProof[];
}

/**
 * Decodes cashuA and cashuB (NUT-00). Keyset ids stay as spelled: a shortened one can only be resolved with the
 * mint's keysets. Throws `Refusal` `invalid-token` and nothing else, whatever the text; the text is in no message.
 */
export function decodeToken(text: string): DecodedToken {
  if (text.length > MAX_TOKEN_CHARACTERS) {
    throw invalid(`the token is longer than 64 KiB: ${swapIntoFewer}`);
  }
  const token = readToken(text.trim().replace(/^(web\+)?cashu:(\/\/)?(?=cashu)/, ""));
  const mintKey = oneMint(token.mints);
  if (token.proofs.length > MAX_PROOFS) {
    throw invalid(
      `the token has ${token.proofs.length} proofs, at most ${MAX_PROOFS} are taken: ${swapIntoFewer}`,
    );
  }
  if (new Set(token.proofs.map((proof) => proof.secret)).size !== token.proofs.length) {
    throw invalid("the token holds the same proof twice");
  }
  const faceSat = token.proofs.reduce((sum, proof) => sum + proof.amount, 0);
  if (faceSat > MAX_FACE_SAT) throw invalid("the token's amount is out of bounds");
  return {
    mintKey,
    unit: token.unit,
    faceSat,
    proofs: token.proofs.map(tokenProof),
    ys: token.proofs.map((proof) => hashToCurveHex(proof.secret)),
  };
}

const swapIntoFewer = "swap it into fewer, larger proofs first";

function readToken(text: string): ReadToken {
  if (text.startsWith("cashuA")) return readTokenA(text.slice(6));
  if (text.startsWith("cashuB")) return readTokenB(text.slice(6));
  throw invalid("the token is neither cashuA nor cashuB");
}

function readTokenA(encoded: string): ReadToken {
  const parsed = tokenASchema.safeParse(jsonOrUndefined(fromBase64(encoded).toString("utf8")));
  if (!parsed.success) throw invalid("the cashuA token is malformed");
  return {
    mints: parsed.data.token.map((entry) => entry.mint),
    unit: parsed.data.unit ?? "sat",
    proofs: parsed.data.token.flatMap((entry) => entry.proofs),
  };
}

function readTokenB(encoded: string): ReadToken {
  const parsed = tokenBSchema.safeParse(cborTokenOrUndefined(fromBase64(encoded)));
  if (!parsed.success) throw invalid("the cashuB token is malformed");
  return { mints: [parsed.data.mint], unit: parsed.data.unit, proofs: parsed.data.proofs };
}

/**
 * `getDecodedToken` refuses version 2 keyset ids unless it is given the mint's keysets; the library's reader of
 * binary tokens (`craw`, same CBOR) leaves ids alone.
 */
function cborTokenOrUndefined(cbor: Buffer): unknown {
  try {
    const token = getDecodedTokenBinary(Uint8Array.from(Buffer.concat([Buffer.from("crawB"), cbor])));
    return {
      ...token,
      proofs: token.proofs.map((proof) => ({
        ...proof,
        amount: proof.amount.isSafeNumber() ? proof.amount.toNumber() : undefined,
      })),
    };
  } catch {
    return undefined;
  }
}

function fromBase64(encoded: string): Buffer {
  if (!/^[A-Za-z0-9_+/-]+={0,2}$/.test(encoded)) throw invalid("the token is not base64url");
  return Buffer.from(encoded, "base64url");
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function oneMint(urls: string[]): string {
  const keys = new Set(urls.map((url) => normaliseMintUrl(url)));
  const [key] = keys;
  if (keys.size !== 1 || key === undefined) {
    throw invalid(
      keys.size > 1 ? "the token spans several mints: send one mint's" : "the token's mint is no URL",
    );
  }
  return key;
}

function tokenProof(proof: ReadProof): TokenProof {
  const { dleq } = proof;
  return {
    amountSat: proof.amount,
    keysetId: proof.id,
    secret: proof.secret,
    C: proof.C.toLowerCase(),
    // Without the blinding factor there is nothing that could be checked (NUT-12).
    ...(dleq?.r ? { dleq: { e: scalarHex(dleq.e), s: scalarHex(dleq.s), r: scalarHex(dleq.r) } } : {}),
  };
}

function scalarHex(hex: string): string {
  return hex.toLowerCase().padStart(64, "0");
}

function invalid(message: string): Refusal {
  return new Refusal("invalid-token", message);
}
