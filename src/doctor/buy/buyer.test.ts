import { getPublicKey } from "nostr-tools/pure";
import { expect, it } from "vitest";
import { checkClientKey } from "../../protocol/wireguard-key.ts";
import { buyerOf } from "./buyer.ts";

it("is the same for the same token, and another for another", () => {
  const [one, again, other] = [buyerOf("cashuBone"), buyerOf("cashuBone"), buyerOf("cashuBother")];
  expect(again).toEqual(one);
  expect(new Set([one.publicKey, other.publicKey, one.privateKey, other.privateKey]).size).toBe(4);
  expect(getPublicKey(one.nostrKey)).not.toBe(getPublicKey(other.nostrKey));
});

it("has a key that the daemon takes", () => {
  for (const token of ["cashuA", "cashuB", "cashuC"]) {
    expect(() => checkClientKey(buyerOf(token).publicKey, buyerOf("server").publicKey)).not.toThrow();
  }
});
