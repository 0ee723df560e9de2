import { expect } from "vitest";
import type { Answer, Buyer } from "../testing/buyer.ts";
import type { Operator } from "../testing/operator.ts";

/** What stands on every answer of the daemon (docs/spec.md, "HTTP"). */
export const CORS_ON_EVERY_ANSWER = {
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "GET, POST, OPTIONS",
  "access-control-allow-headers": "Content-Type, Authorization, X-Cashu",
  "access-control-expose-headers": "X-Cashu, Retry-After",
  "access-control-max-age": "86400",
};

export interface ExpectedRefusal {
  status: number;
  reason: string;
}

/** A refusal as docs/spec.md has it: status, JSON of three fields, CORS, `Retry-After` where one may come again. */
export function expectRefused(answer: Answer, { status, reason }: ExpectedRefusal): void {
  expect({ http: answer.status, json: answer.body }).toEqual({
    http: status,
    json: { status: "error", reason, message: expect.stringMatching(/^\S.{10,}$/) },
  });
  expect(Object.fromEntries(answer.headers)).toMatchObject(CORS_ON_EVERY_ANSWER);
  expect(answer.headers.get("content-type")).toBe("application/json; charset=utf-8");
  const retryAfter = answer.headers.get("retry-after");
  if (status === 429 || status === 503) expect(retryAfter).toMatch(/^[1-9]\d*$/);
  else expect(retryAfter).toBeNull();
}

/** What an answer must not tell: where the daemon lives, how it is made, what it keeps, and what the buyer sent. */
export function expectNothingInternal(
  answer: Answer,
  operator: Operator,
  buyer: Buyer,
  token?: string,
): void {
  const told = answer.text + JSON.stringify([...answer.headers].filter(([name]) => name !== "x-cashu"));
  const secrets = [operator.folder, operator.nsecHex, operator.p2pkPrivkeyHex, buyer.wireguard.publicKey];
  for (const secret of [...secrets, ...(token === undefined ? [] : [token])]) {
    expect(told).not.toContain(secret);
  }
  expect(told).not.toMatch(/SQLITE|node_modules|\.ts:\d|\.cjs|^\s+at |undefined|\[object /m);
  expect([...answer.headers.keys()]).not.toContain("x-powered-by");
}
