import { createCipheriv, createDecipheriv } from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Cipher } from "./purchase-comment.ts";
import {
  type AesAction,
  configViewerUrl,
  openSuccessAction,
  readConfigViewerUrl,
  sealSuccessAction,
} from "./success-action.ts";

const vectors = JSON.parse(
  readFileSync(new URL("../../docs/vectors/success-action.json", import.meta.url), "utf8"),
) as {
  sealed: { name: string; preimage: string; plaintext: string; action: AesAction }[];
  opened: {
    name: string;
    preimage: string;
    action: Omit<AesAction, "cipher"> & { cipher?: Cipher };
    plaintext: string | null;
  }[];
  viewer: { publicHost: string; conf: string; preimage: string; url: string }[];
  otherUrls: { name: string; url: string; view: { conf: string; preimage: string | null } | null }[];
};

const GCM_TAG_BYTES = 16;
const preimages = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes));
const ivs = fc.uint8Array({ minLength: 16, maxLength: 16 });
const ciphers = fc.constantFrom<Cipher>("aes-256-cbc", "aes-256-gcm");
const texts = fc.string({ unit: "binary", maxLength: 500 });

/** Node's own AES, by OpenSSL. */
function openWithNode({ cipher, ciphertext, iv }: AesAction, key: Buffer): string {
  const sealed = Buffer.from(ciphertext, "base64");
  const ivBytes = Buffer.from(iv, "base64");
  if (cipher === "aes-256-cbc") {
    const decipher = createDecipheriv(cipher, key, ivBytes);
    return Buffer.concat([decipher.update(sealed), decipher.final()]).toString();
  }
  const decipher = createDecipheriv(cipher, key, ivBytes);
  decipher.setAuthTag(sealed.subarray(-GCM_TAG_BYTES));
  return Buffer.concat([decipher.update(sealed.subarray(0, -GCM_TAG_BYTES)), decipher.final()]).toString();
}

function sealWithNode(cipher: Cipher, plaintext: string, key: Buffer, iv: Uint8Array): string {
  if (cipher === "aes-256-cbc") {
    const encipher = createCipheriv(cipher, key, iv);
    return Buffer.concat([encipher.update(plaintext), encipher.final()]).toString("base64");
  }
  const encipher = createCipheriv(cipher, key, iv);
  const body = [encipher.update(plaintext), encipher.final()];
  return Buffer.concat([...body, encipher.getAuthTag()]).toString("base64");
}

describe("sealing", () => {
  it.each(vectors.sealed)("$name", ({ preimage, plaintext, action }) => {
    const iv = Buffer.from(action.iv, "base64");
    expect(sealSuccessAction({ preimage, cipher: action.cipher, plaintext, iv })).toEqual(action);
    expect(openSuccessAction(action, preimage)).toBe(plaintext);
  });

  it("agrees with OpenSSL both ways", () => {
    fc.assert(
      fc.property(preimages, ivs, ciphers, texts, (key, iv, cipher, plaintext) => {
        const preimage = key.toString("hex");
        const action = sealSuccessAction({ preimage, cipher, plaintext, iv });
        expect(openWithNode(action, key)).toBe(plaintext);
        const ciphertext = sealWithNode(cipher, plaintext, key, iv);
        expect(openSuccessAction({ ...action, ciphertext }, preimage)).toBe(plaintext);
        expect(openSuccessAction({ ciphertext, iv: action.iv }, preimage)).toBe(plaintext);
      }),
    );
  });

  it("takes a fresh IV of 24 characters each time, and names its cipher", () => {
    const terms = { preimage: "ab".repeat(32), cipher: "aes-256-gcm", plaintext: "x" } as const;
    const actions = Array.from({ length: 50 }, () => sealSuccessAction(terms));
    expect(new Set(actions.map(({ iv }) => iv)).size).toBe(actions.length);
    for (const { iv, cipher } of actions) {
      expect(iv).toHaveLength(24);
      expect(cipher).toBe("aes-256-gcm");
    }
  });

  it.each([
    ["aes-256-cbc", 3071],
    ["aes-256-gcm", 3056],
  ] as const)("has room for 4096 characters of base64: %s for %i bytes", (cipher, most) => {
    const preimage = "ab".repeat(32);
    const full = sealSuccessAction({ preimage, cipher, plaintext: "x".repeat(most) });
    expect(full.ciphertext).toHaveLength(4096);
    expect(openSuccessAction(full, preimage)).toBe("x".repeat(most));
    const seal = () => sealSuccessAction({ preimage, cipher, plaintext: "x".repeat(most + 1) });
    expect(seal).toThrow(RangeError);
  });

  it.each(["", "ab", "zz".repeat(32), "ab".repeat(33)])(
    "refuses %s as a preimage, without saying it",
    (preimage) => {
      const seal = () => sealSuccessAction({ preimage, cipher: "aes-256-cbc", plaintext: "" });
      expect(seal).toThrow(new RangeError("a preimage is 64 hex characters"));
    },
  );

  it("refuses an IV of another length", () => {
    const terms = { preimage: "ab".repeat(32), cipher: "aes-256-gcm", plaintext: "" } as const;
    expect(() => sealSuccessAction({ ...terms, iv: new Uint8Array(12) })).toThrow(RangeError);
  });
});

describe("opening", () => {
  it.each(vectors.opened)("$name", ({ action, preimage, plaintext }) => {
    expect(openSuccessAction(action, preimage) ?? null).toBe(plaintext);
  });

  it("never throws, and reads no more than LUD-10 allows", () => {
    const cipher = fc.option(ciphers, { nil: undefined });
    fc.assert(
      fc.property(fc.string(), fc.base64String(), cipher, preimages, (iv, ciphertext, cipher, key) => {
        openSuccessAction({ iv, ciphertext, cipher }, key.toString("hex"));
      }),
    );
    const key = Buffer.alloc(32, 1);
    const ciphertext = sealWithNode("aes-256-gcm", "x".repeat(3057), key, Buffer.alloc(16));
    const action = { ciphertext, iv: Buffer.alloc(16).toString("base64") };
    expect(openSuccessAction(action, key.toString("hex"))).toBeUndefined();
  });
});

describe("the viewer's URL", () => {
  it.each(vectors.viewer)("$url", ({ publicHost, conf, preimage, url }) => {
    expect(configViewerUrl(publicHost, conf, preimage)).toBe(url);
    expect(readConfigViewerUrl(url)).toEqual({ conf, preimage });
  });

  it.each(vectors.otherUrls)("$name", ({ url, view }) => {
    const read = readConfigViewerUrl(url);
    expect(read === undefined ? null : { ...read, preimage: read.preimage ?? null }).toEqual(view);
  });

  it("gives back every .conf, and keeps all of it in the fragment", () => {
    const confs = fc.string({ unit: "binary", minLength: 1 });
    fc.assert(
      fc.property(confs, preimages, (conf, key) => {
        const preimage = key.toString("hex");
        const url = configViewerUrl("vpn.example.com", conf, preimage);
        expect(readConfigViewerUrl(url)).toEqual({ conf, preimage });
        expect(new URL(url)).toMatchObject({
          host: "vpn.example.com",
          pathname: "/config-viewer",
          search: "",
        });
      }),
    );
  });
});
