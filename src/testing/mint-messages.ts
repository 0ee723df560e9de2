import { z } from "zod";

/** Request bodies of NUT-03, NUT-04, NUT-07 and NUT-09, as a mint reads them. */

const amount = z.int().positive();
const point = z.string().regex(/^0[23][0-9a-f]{64}$/);

const blindedMessage = z.object({ amount, id: z.string(), B_: point });

const inputProof = z.object({
  amount,
  id: z.string(),
  secret: z.string().max(1024),
  C: point,
  witness: z.union([z.string(), z.object({}).loose()]).optional(),
});

export const swapBody = z.object({
  inputs: z.array(inputProof).min(1),
  outputs: z.array(blindedMessage).min(1),
});
export const mintBody = z.object({ quote: z.string(), outputs: z.array(blindedMessage).min(1) });
export const mintQuoteBody = z.object({ amount, unit: z.string() });
export const checkStateBody = z.object({ Ys: z.array(point) });
/** Amounts of restored outputs may be zero: a wallet does not know them (NUT-09). */
export const restoreBody = z.object({
  outputs: z.array(z.object({ amount: z.int().nonnegative(), id: z.string(), B_: point })),
});

export type BlindedMessage = z.infer<typeof blindedMessage>;
export type InputProof = z.infer<typeof inputProof>;
export type SwapBody = z.infer<typeof swapBody>;
export type MintBody = z.infer<typeof mintBody>;

export interface BlindSignature {
  amount: number;
  id: string;
  C_: string;
  /** NUT-12. */
  dleq?: { e: string; s: string };
}
