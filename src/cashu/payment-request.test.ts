import { decodePaymentRequest } from "@cashu/cashu-ts";
import { expect, it } from "vitest";
import { encodePaymentRequest } from "./payment-request.ts";

const KEY = `02${"ab".repeat(32)}`;

it("asks for amount, unit, mints and the lock, in base64url without a transport", () => {
  // 0xfb and 0xff in the text make `+` and `/` of plain base64 likely; many lengths make it certain.
  const urls = Array.from({ length: 40 }, (_, i) => `https://m${"~?>".repeat(i)}.example/é`);
  const encoded = urls.map((url) => encodePaymentRequest(1000, [url, "https://b.example/Bitcoin"], KEY));
  for (const [index, text] of encoded.entries()) {
    expect(text).toMatch(/^creqA[A-Za-z0-9_-]+={0,2}$/);
    const request = decodePaymentRequest(text);
    expect(request.amount?.toNumber()).toBe(1000);
    expect(request).toMatchObject({ unit: "sat", mints: [urls[index], "https://b.example/Bitcoin"] });
    expect(request.nut10).toMatchObject({ kind: "P2PK", data: KEY });
    expect(request.transport).toBeUndefined();
    // CBOR's `undefined` appears nowhere.
    expect(Buffer.from(text.slice(5), "base64url").includes(0xf7)).toBe(false);
  }
});
