import { expect, it } from "vitest";
import { isWireguardKey } from "../protocol/wireguard-key.ts";
import { generateWireguardKeys, wireguardPublicKey } from "./wireguard-keys.ts";

it("makes pairs that WireGuard takes, and new ones each time", () => {
  const pair = generateWireguardKeys();
  expect(isWireguardKey(pair.privateKey)).toBe(true);
  expect(isWireguardKey(pair.publicKey)).toBe(true);
  expect(wireguardPublicKey(pair.privateKey)).toBe(pair.publicKey);
  expect(generateWireguardKeys().privateKey).not.toBe(pair.privateKey);
});

it("computes Alice's public key of RFC 7748, section 6.1", () => {
  const privateKey = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
  const publicKey = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
  const toBase64 = (hex: string) => Buffer.from(hex, "hex").toString("base64");
  expect(wireguardPublicKey(toBase64(privateKey))).toBe(toBase64(publicKey));
});
