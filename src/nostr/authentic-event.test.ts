import fc from "fast-check";
import { finalizeEvent, generateSecretKey, getEventHash } from "nostr-tools/pure";
import { expect, it } from "vitest";
import { isAuthentic, type NostrEvent } from "../protocol/event.ts";
import { isAuthenticEvent } from "./authentic-event.ts";

function signed(content: string): NostrEvent {
  return finalizeEvent(
    { kind: 1, created_at: 1_800_000_000, tags: [["t", content]], content },
    generateSecretKey(),
  );
}

const FIELD = "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f";
const ORDER = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
const ZERO = "0".repeat(64);

it("says of any event what protocol/ says", () => {
  const hexDigit = fc.constantFrom(..."0123456789abcdef");
  fc.assert(
    fc.property(
      fc.string(),
      fc.constantFrom("id", "pubkey", "sig"),
      fc.nat(127),
      hexDigit,
      (content, field, at, digit) => {
        const event = signed(content);
        expect(isAuthenticEvent(event)).toBe(true);
        const text = event[field];
        const place = at % text.length;
        const changed = { ...event, [field]: text.slice(0, place) + digit + text.slice(place + 1) };
        const same = text[place] === digit;
        expect(isAuthentic(changed)).toBe(same);
        expect(isAuthenticEvent(changed)).toBe(same);
        expect(isAuthenticEvent({ ...event, content: `${content}!` })).toBe(false);
      },
    ),
    { numRuns: 60 },
  );
});

it.each([
  ["the signature of another", (event: NostrEvent) => ({ sig: signed(event.content).sig })],
  ["R that is no point", () => ({ sig: `${FIELD}${"1".repeat(64)}` })],
  ["s of the order", (event: NostrEvent) => ({ sig: event.sig.slice(0, 64) + ORDER })],
  ["s of zero", (event: NostrEvent) => ({ sig: event.sig.slice(0, 64) + ZERO })],
  ["nothing but zeros", () => ({ sig: ZERO + ZERO })],
  ["nothing but ones", () => ({ sig: "f".repeat(128) })],
])("refuses %s", (_, change) => {
  const event = signed("hello");
  const wrong = { ...event, ...change(event) };
  expect(isAuthentic(wrong)).toBe(false);
  expect(isAuthenticEvent(wrong)).toBe(false);
});

it("stays right however many keys that are no points it is given", () => {
  const event = signed("hello");
  for (const pubkey of [FIELD, ZERO, "f".repeat(64)]) {
    const wrong = { ...event, pubkey };
    const hashed = { ...wrong, id: getEventHash(wrong) };
    for (let count = 0; count < 5_000; count += 1) expect(isAuthenticEvent(hashed)).toBe(false);
  }
  expect(isAuthenticEvent(event)).toBe(true);
});
