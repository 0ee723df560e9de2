import { secp256k1 } from "@noble/curves/secp256k1.js";
import fc from "fast-check";
import { utils } from "lnurl-pay";
import { describe, expect, it } from "vitest";
import { encodeInvoice, type InvoiceTerms } from "./bolt11.ts";

const privateKey = new Uint8Array(32).fill(7);
const payeeNodeKey = Buffer.from(secp256k1.getPublicKey(privateKey)).toString("hex");
const terms: InvoiceTerms = {
  paymentHash: "ab".repeat(32),
  amountMsat: 21_000,
  descriptionHash: "cd".repeat(32),
  expirySeconds: 600,
  timestamp: 1_700_000_000,
  privateKey,
};

/** The opinion of a decoder that is not ours. */
function decoded(changes: Partial<InvoiceTerms> = {}) {
  const invoice = utils.decodeInvoice(encodeInvoice({ ...terms, ...changes }));
  if (invoice === null) throw new Error("the decoder takes it for no invoice");
  return invoice;
}

describe("an invoice", () => {
  it("says what it was made from", () => {
    const invoice = decoded();
    expect(invoice.millisatoshis).toBe("21000");
    expect(invoice.timestamp).toBe(1_700_000_000);
    expect(invoice.timeExpireDate).toBe(1_700_000_600);
    expect(invoice.tagsObject).toMatchObject({
      payment_hash: terms.paymentHash,
      purpose_commit_hash: terms.descriptionHash,
      expire_time: 600,
      min_final_cltv_expiry: 80,
    });
    expect(utils.getHashFromInvoice(encodeInvoice(terms))).toBe(terms.paymentHash);
  });

  it("has a payment secret of its own, and asks the payer to send it", () => {
    const secrets = [decoded(), decoded()].map(({ tagsObject }) => tagsObject.payment_secret);
    expect(secrets[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(secrets[0]).not.toBe(secrets[1]);
    const features = decoded().tagsObject.feature_bits;
    expect(features?.var_onion_optin?.required).toBe(true);
    expect(features?.payment_secret?.required).toBe(true);
    expect(features?.basic_mpp).toEqual({ required: false, supported: true });
  });

  it.each(["bc", "tb", "bcrt"] as const)("names its chain: %s", (network) => {
    expect(decoded({ network }).network?.bech32).toBe(network);
    expect(encodeInvoice({ ...terms, network })).toMatch(new RegExp(`^ln${network}210n1`));
  });

  it("is for regtest unless another chain is named", () => {
    expect(decoded().network?.bech32).toBe("bcrt");
  });

  it.each([
    [1, "10p"],
    [99, "990p"],
    [100, "1n"],
    [1_001, "10010p"],
    [100_000, "1u"],
    [250_000_000, "2500u"],
    [100_000_000, "1m"],
    [100_000_000_000, "1"],
    [2_500_000_000_000, "25"],
  ])("writes %d msat the shortest way, as %s", (amountMsat, text) => {
    expect(encodeInvoice({ ...terms, amountMsat })).toMatch(new RegExp(`^lnbcrt${text}1`));
    expect(decoded({ amountMsat }).millisatoshis).toBe(String(amountMsat));
  });

  it("keeps every amount, expiry and hash exactly, and is signed by the key that is paid", () => {
    const hash = fc
      .uint8Array({ minLength: 32, maxLength: 32 })
      .map((bytes) => Buffer.from(bytes).toString("hex"));
    const amount = fc.oneof(
      fc.integer({ min: 1, max: 2_000 }),
      fc.integer({ min: 1, max: 2_100_000_000_000_000 }),
      fc
        .tuple(fc.integer({ min: 1, max: 999 }), fc.integer({ min: 0, max: 12 }))
        .map(([n, e]) => n * 10 ** e),
    );
    fc.assert(
      fc.property(
        amount,
        fc.integer({ min: 1, max: 31_536_000 }),
        hash,
        hash,
        (amountMsat, expirySeconds, paymentHash, descriptionHash) => {
          const invoice = decoded({ amountMsat, expirySeconds, paymentHash, descriptionHash });
          expect(invoice.millisatoshis).toBe(String(amountMsat));
          expect(invoice.payeeNodeKey).toBe(payeeNodeKey);
          expect(invoice.tagsObject).toMatchObject({
            payment_hash: paymentHash,
            purpose_commit_hash: descriptionHash,
            expire_time: expirySeconds,
          });
        },
      ),
      { numRuns: 200 },
    );
  });

  it.each([0, -1, 0.5, Number.NaN, 2 ** 53])("is not made for %d msat", (amountMsat) => {
    expect(() => encodeInvoice({ ...terms, amountMsat })).toThrow(RangeError);
  });
});
