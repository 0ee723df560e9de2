import { blindMessage } from "@cashu/cashu-ts";
import { afterEach, beforeEach, expect, test } from "vitest";
import { mintToken } from "./ecash.ts";
import { startMint, type TestMint } from "./mint.ts";
import type { Fault } from "./mint-faults.ts";
import { yOf } from "./mint-ledger.ts";
import type { BlindSignature } from "./mint-messages.ts";

let mint: TestMint;

beforeEach(async () => {
  mint = await startMint();
});

afterEach(() => mint.stop());

async function newSwap() {
  const { proofs } = await mintToken({ mintUrl: mint.url, amountSat: 3 });
  const outputs = proofs.map(({ amount, id, secret }) => ({
    amount: amount.toNumber(),
    id,
    B_: blindMessage(new TextEncoder().encode(`${secret} again`)).B_.toHex(true),
  }));
  const inputs = proofs.map(({ amount, id, secret, C }) => ({ amount: amount.toNumber(), id, secret, C }));
  return { inputs, outputs };
}

type Swap = Awaited<ReturnType<typeof newSwap>>;

function post(path: string, body: object, signal?: AbortSignal): Promise<Response> {
  return fetch(mint.url + path, {
    method: "POST",
    body: JSON.stringify(body),
    redirect: "manual",
    ...(signal ? { signal } : {}),
  });
}

async function signaturesOf(response: Response): Promise<BlindSignature[]> {
  const body = (await response.json()) as { signatures: BlindSignature[] };
  return body.signatures;
}

function isSpent({ inputs }: Swap): boolean {
  return inputs.every(({ secret }) => mint.stateOf(yOf(secret)) === "SPENT");
}

test.each([
  { fault: { kind: "drop-before" } as const, spends: false },
  { fault: { kind: "drop-after" } as const, spends: true },
])("$fault.kind gives no answer; spent: $spends", async ({ fault, spends }) => {
  const swap = await newSwap();
  mint.failNext("/v1/swap", fault);
  await expect(post("/v1/swap", swap)).rejects.toThrow();
  expect(isSpent(swap)).toBe(spends);
  expect(mint.swapCount()).toBe(spends ? 1 : 0);
});

test.each<{ fault: Fault; status: number; body: RegExp }>([
  { fault: { kind: "status", status: 502 }, status: 502, body: /<html>/ },
  { fault: { kind: "status", status: 400, body: "no JSON" }, status: 400, body: /^no JSON$/ },
  { fault: { kind: "garbage" }, status: 200, body: /unexpected/ },
  { fault: { kind: "pending" }, status: 400, body: /"code":11002/ },
  {
    fault: { kind: "refuse", code: 11001, detail: "spent" },
    status: 400,
    body: /"detail":"spent","code":11001/,
  },
  { fault: { kind: "redirect", location: "http://127.0.0.1:9/" }, status: 307, body: /^$/ },
])("answers $fault.kind, having acted only when told to", async ({ fault, status, body }) => {
  for (const acts of [false, true]) {
    const swap = await newSwap();
    mint.failNext("/v1/swap", { ...fault, acts } as Fault);
    const response = await post("/v1/swap", swap);
    expect(response.status).toBe(status);
    expect(await response.text()).toMatch(body);
    expect(isSpent(swap)).toBe(acts);
  }
});

test("sends the headers of a status", async () => {
  mint.failNext("/v1/info", { kind: "status", status: 429, headers: { "retry-after": "7" } });
  const response = await fetch(`${mint.url}/v1/info`);
  expect([response.status, response.headers.get("retry-after")]).toEqual([429, "7"]);
  expect((await fetch(`${mint.url}/v1/info`)).status).toBe(200);
});

test("a stalled request is carried out when released, also if its client has gone", async () => {
  const [waiting, gone] = [await newSwap(), await newSwap()];
  mint.failNext("/v1/swap", { kind: "stall" }, { kind: "stall" });
  const answer = post("/v1/swap", waiting);
  const abort = new AbortController();
  const aborted = expect(post("/v1/swap", gone, abort.signal)).rejects.toThrow();
  await expect.poll(() => mint.requestCount("/v1/swap")).toBe(2);
  abort.abort();
  await aborted;
  expect([isSpent(waiting), isSpent(gone)]).toEqual([false, false]);
  mint.release();
  expect((await answer).status).toBe(200);
  await expect.poll(() => isSpent(gone)).toBe(true);
});

test("a stalled request that acts is carried out at once", async () => {
  const swap = await newSwap();
  mint.failNext("/v1/swap", { kind: "stall", acts: true, forMs: 100 });
  const answer = post("/v1/swap", swap);
  await expect.poll(() => isSpent(swap)).toBe(true);
  expect((await answer).status).toBe(200);
});

test("a stop forgets what was stalled", async () => {
  const swap = await newSwap();
  mint.failNext("/v1/swap", { kind: "stall" });
  const refused = expect(post("/v1/swap", swap)).rejects.toThrow();
  await expect.poll(() => mint.requestCount("/v1/swap")).toBe(1);
  await mint.stop();
  await refused;
  await mint.start();
  expect(isSpent(swap)).toBe(false);
});

test.each(["too-few", "too-many", "wrong-amount", "wrong-keyset", "invalid-signature", "no-dleq"] as const)(
  "an answer flawed by %s differs from the honest one, which a restore gives unless it lasts",
  async (flaw) => {
    for (const lasting of [false, true]) {
      const swap = await newSwap();
      mint.failNext("/v1/swap", { kind: "flawed", flaw, lasting });
      const flawed = await signaturesOf(await post("/v1/swap", swap));
      expect(isSpent(swap)).toBe(true);
      const restored = await signaturesOf(await post("/v1/restore", { outputs: swap.outputs }));
      const [output] = swap.outputs;
      const fits = (list: BlindSignature[]) =>
        list.length === swap.outputs.length &&
        list[0]?.amount === output?.amount &&
        list[0]?.id === output?.id &&
        list[0]?.dleq !== undefined;
      if (flaw === "invalid-signature") expect(restored[0]?.C_ === flawed[0]?.C_).toBe(lasting);
      else expect(fits(flawed)).toBe(false);
      if (!lasting) expect(fits(restored)).toBe(true);
      else if (flaw !== "too-many") expect(restored).toEqual(flawed);
    }
  },
);

test("a rule sees method, path and number, and a queued fault comes before it", async () => {
  const seen: string[] = [];
  mint.fault = ({ method, path, number }) => {
    seen.push(`${method} ${path} ${number}`);
    return number === 2 ? { kind: "status", status: 500 } : undefined;
  };
  mint.failNext("/v1/keys", { kind: "status", status: 403 });
  const statuses: number[] = [];
  for (const path of ["/v1/keys?x=1", "/v1/keys", "/v1/keys", "/v1/info"]) {
    statuses.push((await fetch(mint.url + path)).status);
  }
  expect(statuses).toEqual([403, 500, 200, 200]);
  expect(seen).toEqual(["GET /v1/keys 2", "GET /v1/keys 3", "GET /v1/info 1"]);
});
