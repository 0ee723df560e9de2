import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, expect, it } from "vitest";
import { startMint, type TestMint } from "../testing/mint.ts";
import type { ProofStates } from "../wallet/ports.ts";
import { createMintHttp } from "./mint-http.ts";
import { createProofStates } from "./proof-states.ts";

let mint: TestMint;
let proofs: ProofStates;

beforeEach(async () => {
  mint = await startMint();
  proofs = createProofStates(createMintHttp({ timeoutMs: 4000 }));
});
afterEach(() => mint.stop());

/** A mint knows no proof that was not spent: it calls any `Y` UNSPENT. */
const freshYs = (count: number) =>
  Array.from({ length: count }, () => `02${randomBytes(32).toString("hex")}`);

it("tells each proof's own state", async () => {
  const [first = "", second = ""] = freshYs(2);
  mint.pendingYs.add(second);
  const states = await proofs.statesOf(mint.url, [first, second]);
  expect([...states]).toEqual([
    [first, "UNSPENT"],
    [second, "PENDING"],
  ]);
});

it.each([
  { kind: "garbage", body: '{"states":[{"Y":"02","state":"GONE"}]}' },
  { kind: "status", status: 429 },
  { kind: "stall" },
  { kind: "refuse", code: 10000 },
  { kind: "drop-before" },
] as const)("$kind: what was answered before stands, and the mint is not asked on", async (fault) => {
  const ys = freshYs(250);
  mint.fault = ({ path, number }) => (path === "/v1/checkstate" && number === 2 ? fault : undefined);
  const states = await proofs.statesOf(mint.url, ys);
  expect(states.size).toBe(100);
  expect(ys.slice(0, 100).every((y) => states.has(y))).toBe(true);
  expect(mint.requestCount("/v1/checkstate")).toBe(2);
  mint.release();
});

it("asks nothing more once it is broken off", async () => {
  const ys = freshYs(150);
  const stop = new AbortController();
  mint.fault = () => void stop.abort();
  expect((await proofs.statesOf(mint.url, ys, stop.signal)).size).toBe(100);
});
