import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { paymentTag, readPaymentTag } from "./payment-method.ts";

describe("payment tags", () => {
  it.each(["bolt11", "lnurl-pay", "keysend"])("know the Lightning mechanism %s", (mechanism) => {
    const tag = ["payment", "lightning", "https://a.example", mechanism];
    expect(readPaymentTag(tag)).toEqual({ type: "lightning", endpoint: "https://a.example", mechanism });
  });

  it("know Cashu with and without an endpoint", () => {
    const old = { type: "cashu", mint: "https://mint.example", p2pk: "02ab" };
    expect(readPaymentTag(["payment", "cashu", old.mint, old.p2pk])).toEqual(old);
    expect(readPaymentTag(["payment", "cashu", old.mint, old.p2pk, "https://a.example"])).toEqual({
      ...old,
      endpoint: "https://a.example",
    });
  });

  it("are written back as they were read", () => {
    const type = fc.oneof(fc.constantFrom("lightning", "cashu"), fc.string({ minLength: 1 }));
    const value = fc.oneof(fc.constantFrom("bolt11", "keysend"), fc.string({ minLength: 1 }));
    const tags = fc
      .tuple(type, fc.array(value, { maxLength: 3 }))
      .map(([first, rest]) => ["payment", first, ...rest].slice(0, first === "lightning" ? 4 : 5));
    fc.assert(
      fc.property(tags, (tag) => {
        const method = readPaymentTag(tag);
        expect(method && paymentTag(method)).toEqual(tag);
      }),
    );
  });

  it("that name no method are none", () => {
    expect(readPaymentTag(["payment"])).toBeUndefined();
    expect(readPaymentTag(["payment", ""])).toBeUndefined();
    expect(readPaymentTag(["price", "cashu"])).toBeUndefined();
  });
});
