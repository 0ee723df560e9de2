import { createPublicKey, diffieHellman, generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { generateWireguardKeys } from "../testing/wireguard-keys.ts";
import { isAdmissible, isInterfaceName } from "./peer-guard.ts";

const server = generateWireguardKeys().publicKey;
const buyer = generateWireguardKeys().publicKey;
const admissible = (publicKey: string, ...addresses: string[]) =>
  isAdmissible({ publicKey, addresses }, server);

describe("isAdmissible", () => {
  it("takes a key with its addresses", () => {
    expect(admissible(buyer, "10.66.42.2")).toBe(true);
    expect(admissible(buyer, "10.66.42.2", "fd66:42::a42:2a02")).toBe(true);
  });

  it("refuses the interface's own key, no address, and what is neither key nor address", () => {
    expect(admissible(server, "10.66.42.2")).toBe(false);
    expect(admissible(buyer)).toBe(false);
    for (const key of ["", "AAAA", `${buyer.slice(0, 42)}B=`, `${buyer}\n`, buyer.replace("=", "")]) {
      expect(admissible(key, "10.66.42.2")).toBe(false);
    }
    for (const address of [
      "",
      "10.66.42.2/0",
      "10.66.42",
      "fe80::2%wg0",
      "fd66:42::2/0",
      "10.66.42.2,0.0.0.0",
      "10.66.42.2\n",
      "010.1.1.1",
    ]) {
      expect(admissible(buyer, "10.66.42.3", address)).toBe(false);
    }
  });

  it("refuses every key that OpenSSL will not agree on a secret with", () => {
    const { privateKey } = generateKeyPairSync("x25519");
    const head = Buffer.from("302a300506032b656e032100", "hex");
    const zeros = Buffer.alloc(32);
    const one = Buffer.concat([Buffer.from([1]), Buffer.alloc(31)]);
    for (const point of [zeros, one]) {
      const publicKey = createPublicKey({ key: Buffer.concat([head, point]), format: "der", type: "spki" });
      expect(() => diffieHellman({ privateKey, publicKey })).toThrow();
      expect(admissible(point.toString("base64"), "10.66.42.2")).toBe(false);
    }
  });
});

describe("isInterfaceName", () => {
  it.each(["wg0", "wg-tunnel_1.x", "a", "abcdefghijklmno"])("takes %s", (name) => {
    expect(isInterfaceName(name)).toBe(true);
  });
  it.each(["", "abcdefghijklmnop", "wg 0", "wg/0", "wg0\n", "-h", "all", "interfaces", ".", "..", "wg0;id"])(
    "refuses %j",
    (name) => {
      expect(isInterfaceName(name)).toBe(false);
    },
  );
});
