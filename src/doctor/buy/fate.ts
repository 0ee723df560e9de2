import { createMintHttp } from "../../cashu/mint-http.ts";
import { createProofStates } from "../../cashu/proof-states.ts";
import type { UsableToken } from "./token.ts";

/** What became of the token, as its mint has it. */
export async function fateOf({ mintUrl, decoded }: UsableToken): Promise<"unspent" | "spent" | "unknown"> {
  const states = await createProofStates(createMintHttp()).statesOf(mintUrl, decoded.ys);
  const all = decoded.ys.map((y) => states.get(y.toLowerCase()));
  if (all.every((state) => state === "UNSPENT")) return "unspent";
  return all.every((state) => state === "SPENT") ? "spent" : "unknown";
}

export const FATE_WORDS = {
  unspent: "the token is unspent: it is worth what it was",
  spent: "the token is spent: the daemon has it, and the same token, given again, gets the same tunnel",
  unknown: "what became of the token is not known: its mint does not say; give the same token again",
} as const;
