import { inspect } from "node:util";
import { nsecEncode } from "nostr-tools/nip19";
import { generateSecretKey, getPublicKey } from "nostr-tools/pure";
import { expect, test } from "vitest";
import { readIdentity } from "./identity.ts";

const secretKey = generateSecretKey();
const hex = Buffer.from(secretKey).toString("hex");
const nsec = nsecEncode(secretKey);

test.each([hex, hex.toUpperCase(), nsec, nsec.toUpperCase(), ` ${nsec}\n`])("reads %#", (text) => {
  const identity = readIdentity(text);
  expect(Buffer.from(identity.secretKey).toString("hex")).toBe(hex);
  expect(identity.pubkeyHex).toBe(getPublicKey(secretKey));
});

test("prints no key", () => {
  const identity = readIdentity(nsec);
  expect(inspect(identity) + JSON.stringify({ ...identity })).not.toMatch(/secretKey/);
});

const lastChanged = nsec.slice(0, -1) + (nsec.endsWith("q") ? "p" : "q");
test.each([
  ["a mistyped nsec", lastChanged, /checksum/],
  ["a key without its last digit", hex.slice(1), /none/],
  ["zero", "0".repeat(64), /range/],
  ["a public key", "npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg", /public/],
  ["nothing", "", /none/],
])("refuses %s without quoting it", (_what, text, words) => {
  const error = (() => {
    try {
      readIdentity(text);
    } catch (thrown) {
      return thrown;
    }
  })();
  expect(error).toBeInstanceOf(Error);
  expect((error as Error).message).toMatch(words);
  if (text !== "") expect(inspect(error, { depth: 9 })).not.toContain(text.slice(8, 40));
});
