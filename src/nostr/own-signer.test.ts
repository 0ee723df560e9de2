import { NDKPrivateKeySigner, NDKUser } from "@nostr-dev-kit/ndk";
import fc from "fast-check";
import { generateSecretKey, getEventHash, getPublicKey } from "nostr-tools/pure";
import { expect, it } from "vitest";
import { isAuthentic } from "../protocol/event.ts";
import { OwnSigner } from "./own-signer.ts";

const secretKey = generateSecretKey();
const pubkey = getPublicKey(secretKey);
const own = new OwnSigner(secretKey);
const ndks = new NDKPrivateKeySigner(secretKey);
const me = new NDKUser({ pubkey });

it("signs what anybody finds authentic", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string(), fc.nat(65_535), async (content, kind) => {
      const event = { kind, created_at: 1_800_000_000, tags: [["t", content]], content, pubkey };
      const sig = await own.sign(event);
      expect(isAuthentic({ ...event, id: getEventHash(event), sig })).toBe(true);
    }),
    { numRuns: 60 },
  );
});

it("encrypts to oneself as NDK does, in both directions", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ minLength: 1 }), async (plaintext) => {
      expect(await ndks.decrypt(me, await own.encrypt(me, plaintext), "nip44")).toBe(plaintext);
      expect(await own.decrypt(me, await ndks.encrypt(me, plaintext, "nip44"))).toBe(plaintext);
    }),
    { numRuns: 20 },
  );
});

it("writes to nobody else, and reads nobody else's", async () => {
  const stranger = new NDKUser({ pubkey: getPublicKey(generateSecretKey()) });
  const fromStranger = await ndks.encrypt(stranger, "hello", "nip44");
  await expect(own.encrypt(stranger, "hello")).rejects.toThrow(/one's own/);
  await expect(own.decrypt(stranger, fromStranger)).rejects.toThrow(/one's own/);
});
