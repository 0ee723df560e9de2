import * as z from "zod";
import type { JournaledOutput, SwapJournal } from "../sales/ports.ts";

const point = z.string().regex(/^0[23][0-9a-f]{64}$/i);

const inputSchema = z.object({
  amount: z.number().int().positive(),
  id: z.string(),
  secret: z.string(),
  C: z.string(),
  witness: z.string(),
});

/** A signed input as it stands in the body of POST /v1/swap (NUT-03, NUT-11). */
export type SwapInput = z.infer<typeof inputSchema>;

const bodySchema = z.object({ inputs: z.array(inputSchema).min(1) });

const journalSchema = z.object({
  version: z.literal(1),
  mintUrl: z.string(),
  body: z.string(),
  outputs: z
    .array(
      z.object({
        amountSat: z.number().int().positive(),
        keysetId: z.string(),
        mintPubkey: point,
        secret: z.string().min(1),
        blindingFactor: z.string().regex(/^[0-9a-f]{64}$/),
        B_: point,
      }),
    )
    .min(1),
  inputYs: z.array(point).min(1),
  feeSat: z.number().int().min(0),
});

/** The exact body of POST /v1/swap (NUT-03). */
export function swapBody(inputs: SwapInput[], outputs: JournaledOutput[]): string {
  return JSON.stringify({ inputs, outputs: outputs.map(blindedMessage) });
}

/** NUT-00 BlindedMessage. */
export function blindedMessage(output: JournaledOutput): { amount: number; id: string; B_: string } {
  return { amount: output.amountSat, id: output.keysetId, B_: output.B_ };
}

/** The signed inputs of a journal. Throws when the body is not one that `swapBody` wrote. */
export function journaledInputs(journal: SwapJournal): SwapInput[] {
  return bodySchema.parse(JSON.parse(journal.body)).inputs;
}

/** Reads a journal back from the book. Throws when it is not one. */
export function parseSwapJournal(json: string): SwapJournal {
  return journalSchema.parse(JSON.parse(json));
}
