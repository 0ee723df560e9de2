import { describe, expect, it } from "vitest";
import { openSuccessAction, readConfigViewerUrl } from "../../protocol/success-action.ts";
import { withIpv6 } from "../../tunnels/both-families.ts";
import { createSealConf, type UnpaidConf } from "./sealed-conf.ts";

const host = (length: number) => `${"long-label.".repeat(30).slice(0, length - 8)}.example`;
const OPERATOR = "ab".repeat(32);
const server = {
  pubkey: OPERATOR,
  coordinate: `30402:${OPERATOR}:vpn`,
  serverPublicKey: `${"A".repeat(42)}E=`,
  endpoint: "vpn.example.com:51820",
  dns: ["1.1.1.1", "9.9.9.9"],
  mtu: 1420,
  rateMbit: null,
  inBoth: withIpv6("fd66:42::/64"),
};
const unpaid: UnpaidConf = {
  address: "10.66.42.7",
  price: { amount: 100, currency: "sat", unit: "day" },
  quantity: { seconds: 86_400, bytes: 0 },
  paymentHash: "cd".repeat(32),
  preimage: "ef".repeat(32),
  cipher: "aes-256-cbc",
};

/** What a buyer's device gets of it. */
function opened(action: Parameters<typeof openSuccessAction>[0] & { ciphertext: string }): string {
  expect(action.ciphertext.length).toBeLessThanOrEqual(4096);
  const plaintext = openSuccessAction(action, unpaid.preimage);
  if (plaintext === undefined) throw new Error("the preimage does not open it");
  return readConfigViewerUrl(plaintext)?.conf ?? plaintext;
}

describe("a sealed .conf", () => {
  it("is the viewer's URL in CBC, with the preimage after it, and the text itself in GCM", () => {
    const seal = createSealConf(server, "vpn.example.com");
    const url = openSuccessAction(seal(unpaid), unpaid.preimage);
    expect(url).toMatch(/^https:\/\/vpn\.example\.com\/config-viewer#[\w-]+\.(ef){32}$/);
    const text = openSuccessAction(seal({ ...unpaid, cipher: "aes-256-gcm" }), unpaid.preimage);
    expect(readConfigViewerUrl(url ?? "")).toEqual({ conf: text, preimage: unpaid.preimage });
    expect(text).toContain("# Bought: 86400 seconds, from the moment the tunnel is up\n");
    expect(text).toContain("Address = 10.66.42.7/32, fd66:42::a42:2a07/128\n");
    expect(text).not.toContain("Expires");
  });

  it.each(["aes-256-cbc", "aes-256-gcm"] as const)(
    "fits into %s whatever the config allows, with all that a tunnel needs and the way to the rest",
    (cipher) => {
      const publicHost = `${host(253)}:65535`;
      for (let length = 1; length <= 1000; length += 37) {
        for (const letter of ["x", "ß", "汉"]) {
          const coordinate = `30402:${OPERATOR}:${letter.repeat(length)}`;
          const seal = createSealConf({ ...server, coordinate, endpoint: publicHost }, publicHost);
          const conf = opened(seal({ ...unpaid, cipher }));
          expect(conf).toContain(`# claim: https://${publicHost}/lnurlp/config/${unpaid.paymentHash}\n`);
          for (const line of [
            "Address = 10.66.42.7/32, fd66:42::a42:2a07/128",
            "DNS = 1.1.1.1, 9.9.9.9",
            `Endpoint = ${publicHost}`,
          ]) {
            expect(conf).toContain(`\n${line}\n`);
          }
        }
      }
    },
  );

  it("has its head where there is room for it to the last byte", () => {
    const sealFor = (length: number) =>
      createSealConf({ ...server, coordinate: `30402:${OPERATOR}:${"d".repeat(length)}` }, "vpn.example.com");
    const hasHead = (length: number, cipher: UnpaidConf["cipher"]) =>
      opened(sealFor(length)({ ...unpaid, cipher })).includes("# Listing:");
    for (const cipher of ["aes-256-cbc", "aes-256-gcm"] as const) {
      let [last, first] = [0, 3000];
      while (first - last > 1) {
        const middle = (first + last) >> 1;
        if (hasHead(middle, cipher)) last = middle;
        else first = middle;
      }
      const { ciphertext } = sealFor(last)({ ...unpaid, cipher });
      expect(ciphertext).toHaveLength(4096);
    }
  });

  it("is not promised where even a bare one has no room", () => {
    const dns = Array.from(
      { length: 100 },
      (_, index) => `2001:db8:1111:2222:3333:4444:5555:${1000 + index}`,
    );
    expect(() => createSealConf({ ...server, dns }, "vpn.example.com")).toThrow(RangeError);
  });
});
