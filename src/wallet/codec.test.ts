import { NDKCashuWallet } from "@nostr-dev-kit/ndk-wallet";
import { decrypt, encrypt, getConversationKey } from "nostr-tools/nip44";
import { finalizeEvent, generateSecretKey, getPublicKey } from "nostr-tools/pure";
import { expect, test } from "vitest";
import { createSigningNdk, toNdkEvent } from "../nostr/signing-ndk.ts";
import { isAuthentic, type NostrEvent } from "../protocol/event.ts";
import { inBatches } from "./batches.ts";
import { createWalletCodec, TOKEN_KIND, UnreadableWallet, WALLET_KIND } from "./codec.ts";

const secretKey = generateSecretKey();
const pubkey = getPublicKey(secretKey);
const own = getConversationKey(secretKey, pubkey);
const codec = createWalletCodec(secretKey);
const mint = "https://mint.example/Bitcoin";

const proofs = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    keysetId: "01".padEnd(66, "c"),
    amountSat: 2 ** (index % 30),
    secret: index.toString(16).padStart(64, "0"),
    C: `02${index.toString(16).padStart(64, "0")}`,
  }));

const plain = (event: NostrEvent): unknown => JSON.parse(decrypt(event.content, own));
const sign = (kind: number, content: unknown, tags: string[][] = []) =>
  finalizeEvent(
    { kind, created_at: 1_700_000_000, tags, content: encrypt(JSON.stringify(content), own) },
    secretKey,
  );

test("a token event is NIP-60 to the letter: signed, encrypted to oneself, amounts as numbers", async () => {
  const [first, second] = proofs(2);
  if (first === undefined || second === undefined) throw new Error();
  const event = await codec.tokenEvent(mint, [first, second], 1_700_000_123);
  expect(isAuthentic(event)).toBe(true);
  expect(event).toMatchObject({ kind: TOKEN_KIND, pubkey, created_at: 1_700_000_123, tags: [] });
  expect(plain(event)).toEqual({
    mint,
    del: [],
    proofs: [first, second].map(({ keysetId: id, amountSat: amount, secret, C }) => ({
      id,
      amount,
      secret,
      C,
    })),
  });
});

test("what is written is read, up to the largest batch", async () => {
  const [batch] = inBatches(proofs(500));
  if (batch === undefined) throw new Error();
  expect(batch).toHaveLength(200);
  const event = await codec.tokenEvent(mint, batch, 1_700_000_000);
  expect(JSON.stringify(event).length).toBeLessThan(100 * 1024);
  expect(await codec.readToken(event)).toEqual({ mintUrl: mint, unit: "sat", proofs: batch, replaces: [] });
});

test("two proofs of one signature are not written as one", async () => {
  const [first] = proofs(1);
  if (first === undefined) throw new Error();
  await expect(codec.tokenEvent(mint, [first, { ...first, secret: "other" }], 1)).rejects.toThrow(
    /unreadable/,
  );
});

test("reads the older form, without a unit, and what others write", async () => {
  const proof = { id: "009a1f293253e41e", amount: 8, secret: "s", C: "02".padEnd(66, "a") };
  const expected = { keysetId: proof.id, amountSat: 8, secret: "s", C: proof.C };
  expect(await codec.readToken(sign(TOKEN_KIND, { proofs: [proof], mint, del: ["ab"] }))).toEqual({
    mintUrl: mint,
    unit: "sat",
    proofs: [expected],
    replaces: ["ab"],
  });
  const inTag = sign(TOKEN_KIND, { proofs: [{ ...proof, amount: "8", dleq: { e: "" } }] }, [["mint", mint]]);
  expect(await codec.readToken(inTag)).toMatchObject({ mintUrl: mint, proofs: [expected] });
});

test.each([
  [
    "another key's",
    finalizeEvent({ kind: TOKEN_KIND, created_at: 1, tags: [], content: "x" }, generateSecretKey()),
  ],
  ["no mint", sign(TOKEN_KIND, { proofs: [] })],
  ["no proofs", sign(TOKEN_KIND, { mint })],
  ["a negative amount", sign(TOKEN_KIND, { mint, proofs: [{ id: "", amount: -1, secret: "", C: "" }] })],
  ["another kind", sign(7376, { mint, proofs: [] })],
  [
    "in the clear",
    finalizeEvent(
      { kind: TOKEN_KIND, created_at: 1, tags: [], content: '{"mint":"m","proofs":[]}' },
      secretKey,
    ),
  ],
])("%s is not read, and nothing is thrown", async (_what, event) => {
  expect(await codec.readToken(event)).toBeUndefined();
});

test("a new wallet has the mints and one fresh key, and ndk-wallet reads it", async () => {
  const mints = [mint, "https://other.example"];
  const [one, two] = [
    await codec.newWallet(mints, 1_700_000_000),
    await codec.newWallet(mints, 1_700_000_000),
  ];
  expect(isAuthentic(one)).toBe(true);
  expect(one).toMatchObject({ kind: WALLET_KIND, pubkey, created_at: 1_700_000_000 });
  expect(plain(one)).toEqual([
    ...mints.map((url) => ["mint", url]),
    ["privkey", expect.stringMatching(/^[0-9a-f]{64}$/)],
  ]);
  expect(plain(one)).not.toEqual(plain(two));
  const foreign = await NDKCashuWallet.from(toNdkEvent(createSigningNdk(secretKey), one));
  expect(foreign?.mints).toEqual(mints);
  expect(JSON.stringify(plain(one))).not.toContain(Buffer.from(secretKey).toString("hex"));
});

test("extending adds mints alone and keeps every other entry as it was", async () => {
  const key = "11".repeat(32);
  const entries = [
    ["name", "till"],
    ["mint", "https://MINT.example/Bitcoin/"],
    ["privkey", key],
    ["x", "1", "2"],
    ["privkey", "22".repeat(32)],
  ];
  const event = sign(WALLET_KIND, entries);
  expect(await codec.extendWallet(event, [mint], 5)).toBeUndefined();
  const extended = await codec.extendWallet(event, [mint, "https://new.example"], 1_700_000_001);
  if (extended === undefined) throw new Error("not extended");
  expect(extended.created_at).toBe(1_700_000_001);
  expect(plain(extended)).toEqual([...entries, ["mint", "https://new.example"]]);
});

test.each([
  ["in the clear", finalizeEvent({ kind: WALLET_KIND, created_at: 1, tags: [], content: "[]" }, secretKey)],
  ["no list", sign(WALLET_KIND, { mint })],
  ["another kind", sign(375, [])],
])("a wallet that is %s is not touched", async (_what, event) => {
  expect(await codec.readWallet(event)).toBeUndefined();
  await expect(codec.extendWallet(event, [mint], 2)).rejects.toThrow(UnreadableWallet);
});
