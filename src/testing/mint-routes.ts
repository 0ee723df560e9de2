import { MINT_ERROR_CODES, MintError } from "./mint-error.ts";
import type { MintKeyset } from "./mint-keyset.ts";
import type { MintLedger } from "./mint-ledger.ts";
import { checkStateBody, mintBody, mintQuoteBody, restoreBody, swapBody } from "./mint-messages.ts";

export interface MintAnswer {
  status: number;
  body: unknown;
}

/** NUT-19: what is answered again from the cache when the same bytes come again. */
export const CACHED_ENDPOINTS = [
  { method: "POST", path: "/v1/mint/bolt11" },
  { method: "POST", path: "/v1/swap" },
];

export const CACHE_TTL_SECONDS = 600;

type Handler = (ledger: MintLedger, body: unknown, parameter: string) => unknown;

/** By method and path; a path that ends in `/` takes the rest as a parameter. */
const ROUTES: Record<string, Handler> = {
  "GET /v1/keys": (ledger) => ({ keysets: ledger.keysets().filter(isActive).map(withKeys) }),
  "GET /v1/keys/": (ledger, _body, id) => {
    const keyset = ledger.keysets().find((candidate) => candidate.id === id);
    if (!keyset) throw new MintError("keyset-unknown", "keyset is not known");
    return { keysets: [withKeys(keyset)] };
  },
  "GET /v1/keysets": (ledger) => ({ keysets: ledger.keysets().map(withoutKeys) }),
  "POST /v1/mint/quote/bolt11": (ledger, body) => {
    const { amount, unit } = mintQuoteBody.parse(body);
    return ledger.createQuote(amount, unit);
  },
  "GET /v1/mint/quote/bolt11/": (ledger, _body, id) => {
    const quote = ledger.quote(id);
    if (!quote) throw new MintError("quote-unpaid", "quote is not known");
    return quote;
  },
  "POST /v1/mint/bolt11": (ledger, body) => ({ signatures: ledger.mint(mintBody.parse(body)) }),
  "POST /v1/swap": (ledger, body) => ({ signatures: ledger.swap(swapBody.parse(body)) }),
  "POST /v1/checkstate": (ledger, body) => ({
    states: checkStateBody
      .parse(body)
      .Ys.map((Y) => ({ Y, state: ledger.stateOf(Y), witness: ledger.witnessOf(Y) })),
  }),
  "POST /v1/restore": (ledger, body) => {
    const known = restoreBody.parse(body).outputs.filter(({ B_ }) => ledger.signatureFor(B_));
    return { outputs: known, signatures: known.map(({ B_ }) => ledger.signatureFor(B_)) };
  },
};

/** Carries one request out. Errors of the mint are answers: 400 `{detail, code}` (NUT-00). */
export function answerRequest(ledger: MintLedger, method: string, path: string, rawBody: string): MintAnswer {
  const parent = path.slice(0, path.lastIndexOf("/") + 1);
  const handler = ROUTES[`${method} ${path}`] ?? ROUTES[`${method} ${parent}`];
  if (!handler) return { status: 404, body: { detail: "Not Found" } };
  try {
    const body: unknown = rawBody === "" ? undefined : JSON.parse(rawBody);
    return { status: 200, body: handler(ledger, body, path.slice(parent.length)) };
  } catch (error) {
    if (error instanceof MintError) return refusal(error.code, error.message);
    return refusal(MINT_ERROR_CODES.malformed, "request is malformed");
  }
}

export function refusal(code: number, detail: string): MintAnswer {
  return { status: 400, body: { detail, code } };
}

/** NUT-06. */
export function mintInfo(ledger: MintLedger, cachesResponses: boolean) {
  const methods = [...new Set(ledger.keysets().map(({ unit }) => unit))].map((unit) => ({
    method: "bolt11",
    unit,
    min_amount: 1,
    max_amount: 2 ** 31,
  }));
  const supported = { supported: true };
  const cache = { ttl: CACHE_TTL_SECONDS, cached_endpoints: CACHED_ENDPOINTS };
  return {
    name: "Test mint",
    pubkey: Object.values(ledger.keysets()[0]?.publicKeys ?? {})[0],
    version: "europa-test-mint/1",
    contact: [],
    time: Math.floor(Date.now() / 1000),
    nuts: {
      4: { methods, disabled: false },
      5: { methods: [], disabled: true },
      7: supported,
      9: supported,
      10: supported,
      11: supported,
      12: supported,
      14: supported,
      ...(cachesResponses ? { 19: cache } : {}),
    },
  };
}

function isActive(keyset: MintKeyset): boolean {
  return keyset.active;
}

function withKeys(keyset: MintKeyset) {
  return { ...withoutKeys(keyset), keys: keyset.publicKeys };
}

function withoutKeys({ id, unit, active, feePpk }: MintKeyset) {
  return { id, unit, active, input_fee_ppk: feePpk };
}
