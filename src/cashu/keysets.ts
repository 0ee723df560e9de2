import { deriveKeysetId } from "@cashu/cashu-ts";
import * as z from "zod";

/** A keyset of unit sat as the mint lists it (NUT-02). */
export interface KeysetInfo {
  /** As the mint spells it: the only spelling it is sure to know. */
  id: string;
  active: boolean;
  inputFeePpk: number;
  /** Unix seconds. */
  finalExpiry: number | undefined;
}

/** The mint's public key per amount in sat. */
export type MintKeys = ReadonlyMap<number, string>;

const MAX_KEYSETS = 1000;
const MAX_KEYS = 256;

const listedSchema = z.object({
  id: z.string().regex(/^(00[0-9a-f]{14}|01[0-9a-f]{64})$/i),
  unit: z.literal("sat"),
  active: z.boolean(),
  input_fee_ppk: z.number().int().min(0).max(1_000_000).nullish(),
  final_expiry: z.number().int().min(0).nullish(),
});

const keysSchema = z.object({
  id: z.string(),
  keys: z.record(z.string().regex(/^[1-9]\d{0,19}$/), z.string().regex(/^0[23][0-9a-f]{64}$/i)),
});

/** Answers of GET /v1/keysets and /v1/keys/{id}; their entries are read one by one. */
export const keysetListSchema = z.object({ keysets: z.array(z.unknown()) });

/** What is usable of the list; other units, old ids and malformed entries are skipped. */
export function usableKeysets(listed: unknown[]): KeysetInfo[] {
  return listed.slice(0, MAX_KEYSETS).flatMap((entry) => {
    const parsed = listedSchema.safeParse(entry);
    if (!parsed.success) return [];
    const { id, active, input_fee_ppk, final_expiry } = parsed.data;
    return [{ id, active, inputFeePpk: input_fee_ppk ?? 0, finalExpiry: final_expiry ?? undefined }];
  });
}

/**
 * The keys of `info` among the entries of a /v1/keys answer. `undefined` when they are missing or do not hash to
 * the id (NUT-02): a mint, or who stands before it, cannot put other keys under an id that a token names.
 */
export function verifiedKeys(info: KeysetInfo, entries: unknown[]): MintKeys | undefined {
  for (const entry of entries) {
    const parsed = keysSchema.safeParse(entry);
    if (!parsed.success || parsed.data.id.toLowerCase() !== info.id.toLowerCase()) continue;
    const { keys } = parsed.data;
    if (Object.keys(keys).length > MAX_KEYS || !hashesTo(info, keys)) continue;
    const amounts = Object.entries(keys).map(([amount, key]): [number, string] => [Number(amount), key]);
    return new Map(amounts.filter(([amountSat]) => Number.isSafeInteger(amountSat)));
  }
  return undefined;
}

function hashesTo(info: KeysetInfo, keys: Record<string, string>): boolean {
  try {
    const id = deriveKeysetId(keys, {
      versionByte: info.id.startsWith("00") ? 0 : 1,
      unit: "sat",
      input_fee_ppk: info.inputFeePpk,
      ...(info.finalExpiry === undefined ? {} : { expiry: info.finalExpiry }),
    });
    return id.toLowerCase() === info.id.toLowerCase();
  } catch {
    return false;
  }
}
