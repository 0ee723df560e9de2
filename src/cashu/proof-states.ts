import * as z from "zod";
import type { ProofState, ProofStates } from "../wallet/ports.ts";
import type { MintHttp } from "./mint-http.ts";

/** Proofs that go into one request; mints bound it. */
const BATCH = 100;

/** NUT-07. */
export const stateAnswerSchema = z.object({
  states: z.array(z.object({ Y: z.string(), state: z.enum(["UNSPENT", "PENDING", "SPENT"]) })),
});

/** NUT-07, batch by batch: a mint that does not answer one of them is not asked about the next. */
export function createProofStates(http: MintHttp): ProofStates {
  return {
    async statesOf(mintUrl, ys, signal) {
      const states = new Map<string, ProofState>();
      for (let from = 0; from < ys.length && !signal?.aborted; from += BATCH) {
        const body = JSON.stringify({ Ys: ys.slice(from, from + BATCH) });
        const answer = await http.post(mintUrl, "/v1/checkstate", body, stateAnswerSchema);
        if (answer.kind !== "ok") break;
        for (const { Y, state } of answer.value.states) states.set(Y.toLowerCase(), state);
      }
      return states;
    },
  };
}
