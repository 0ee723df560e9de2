import { createPrivateKey, createPublicKey, diffieHellman, generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Refusal } from "./refusal.ts";
import { checkClientKey, isWireguardKey } from "./wireguard-key.ts";

const newKey = () => {
  const { x = "" } = generateKeyPairSync("x25519").publicKey.export({ format: "jwk" });
  return Buffer.from(x, "base64url").toString("base64");
};
const serverKey = newKey();

const refusal = (value: unknown, server = serverKey) => {
  try {
    checkClientKey(value, server);
  } catch (error) {
    if (error instanceof Refusal) return error.reason;
    throw error;
  }
  return undefined;
};

const flip = (hex: string) => {
  const bytes = Buffer.from(hex, "hex");
  bytes[31] = (bytes[31] ?? 0) ^ 0x80;
  return bytes.toString("hex");
};

/** Little-endian: 0, 1, the two of order 8, p - 1, and p and p + 1 which are 0 and 1 written otherwise. */
const lowOrder = [
  "00".repeat(32),
  `01${"00".repeat(31)}`,
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  `ec${"ff".repeat(30)}7f`,
  `ed${"ff".repeat(30)}7f`,
  `ee${"ff".repeat(30)}7f`,
];

describe("checkClientKey", () => {
  it("takes what wg pubkey prints", () => {
    for (let count = 0; count < 50; count += 1) {
      const key = newKey();
      expect(checkClientKey(key, serverKey)).toBe(key);
    }
  });

  it.each([undefined, null, ""])("misses %j", (value) => {
    expect(refusal(value)).toBe("no-client-pubkey");
  });

  const good = newKey();
  it.each([
    ["a number", 7],
    ["an array", [good]],
    ["a space behind", `${good} `],
    ["a line break behind", `${good}\n`],
    ["31 bytes", Buffer.alloc(31, 7).toString("base64")],
    ["33 bytes", Buffer.alloc(33, 7).toString("base64")],
    ["no padding", good.slice(0, 43)],
    ["base64url", "-_".repeat(21).concat("A=")],
    ["hex", "ab".repeat(32)],
    ["bits behind the 32 bytes, which Node drops and wg refuses", "AQ".repeat(21).concat("B=")],
  ])("refuses %s", (_, value) => {
    expect(refusal(value)).toBe("bad-request");
  });

  it.each([...lowOrder, ...lowOrder.map(flip)])("refuses the low-order point %s", (hex) => {
    const raw = Buffer.from(hex, "hex");
    expect(refusal(raw.toString("base64"))).toBe("bad-request");
    // OpenSSL agrees: a secret shared with such a point is all zeros, which it refuses to give.
    const publicKey = createPublicKey({
      key: { kty: "OKP", crv: "X25519", x: raw.toString("base64url") },
      format: "jwk",
    });
    const { privateKey } = generateKeyPairSync("x25519");
    expect(() => diffieHellman({ privateKey, publicKey })).toThrow();
  });

  it("refuses the server's own key, also with the top bit set", () => {
    expect(refusal(serverKey)).toBe("bad-request");
    const raw = Buffer.from(serverKey, "base64").toString("hex");
    expect(refusal(Buffer.from(flip(raw), "hex").toString("base64"))).toBe("bad-request");
  });

  it("works while the server's key is not known", () => {
    expect(refusal(newKey(), "")).toBeUndefined();
  });

  it("names no key in its message", () => {
    for (const value of [serverKey, Buffer.alloc(32).toString("base64"), `${good}x`]) {
      expect(() => checkClientKey(value, serverKey)).toThrow(
        expect.objectContaining({ message: expect.not.stringContaining(value) }),
      );
    }
  });

  it("throws nothing but a Refusal", () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(["no-client-pubkey", "bad-request"]).toContain(refusal(value));
      }),
    );
  });
});

describe("isWireguardKey", () => {
  it("is true for any 32 bytes, and for nothing that re-encodes to something else", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        expect(isWireguardKey(Buffer.from(bytes).toString("base64"))).toBe(true);
      }),
    );
    const character = fc.constantFrom(..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    fc.assert(
      fc.property(fc.string({ unit: character, minLength: 43, maxLength: 43 }), (digits) => {
        const text = `${digits}=`;
        expect(isWireguardKey(text)).toBe(Buffer.from(text, "base64").toString("base64") === text);
      }),
    );
  });

  it("knows a private key's form too, as it is the same", () => {
    const { d = "" } = createPrivateKey(
      generateKeyPairSync("x25519").privateKey.export({ type: "pkcs8", format: "pem" }),
    ).export({ format: "jwk" });
    expect(isWireguardKey(Buffer.from(d, "base64url").toString("base64"))).toBe(true);
  });
});
