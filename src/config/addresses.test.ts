import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hostOf, isAddressOrCidr, isHost, isHostWithPort, isNetwork6, networkOf } from "./addresses.ts";

describe("hosts", () => {
  it.each([
    "vpn.example.com",
    "localhost",
    "192.0.2.1",
    "2001:db8::1",
    "a_b.example",
    "xn--bcher-kva.example",
  ])("takes %s", (text) => expect(isHost(text)).toBe(true));

  it.each([
    "",
    "a b",
    "https://x",
    "x/y",
    "x:80",
    "300.1.1.1",
    "1.2.3",
    "-x.example",
    "x..y",
    "fe80::1%eth0",
    "x\ny",
  ])("refuses %j", (text) => expect(isHost(text)).toBe(false));

  it.each([
    ["vpn.example.com", "vpn.example.com"],
    ["vpn.example.com:8443", "vpn.example.com"],
    ["192.0.2.1:1", "192.0.2.1"],
    ["[2001:db8::1]:443", "2001:db8::1"],
    ["[2001:db8::1]", "2001:db8::1"],
  ])("takes %s with or without a port", (text, host) => {
    expect(isHostWithPort(text)).toBe(true);
    expect(hostOf(text)).toBe(host);
  });

  it.each(["x:0", "x:65536", "x:", "https://x", "x/y", "2001:db8::1", "user@x", "x?y"])(
    "refuses %s",
    (text) => expect(isHostWithPort(text)).toBe(false),
  );
});

describe("networkOf", () => {
  it("clears host bits and keeps what is a network, for every length", () => {
    fc.assert(
      fc.property(fc.integer({ min: 16, max: 30 }), fc.nat(0xffff), (length, low) => {
        const network = networkOf(`10.66.${low >> 8}.${low & 255}/${length}`);
        const bits = Number(
          network
            ?.split(/[./]/)
            .slice(2, 4)
            .reduce((sum, byte) => `${Number(sum) * 256 + Number(byte)}`),
        );
        expect(network?.endsWith(`/${length}`)).toBe(true);
        expect(bits).toBe(low - (low % 2 ** (32 - length)));
        expect(networkOf(network ?? "")).toBe(network);
      }),
    );
  });

  it.each([
    "10.0.0.0",
    "10.0.0.0/15",
    "10.0.0.0/31",
    "0.1.0.0/24",
    "224.0.0.0/24",
    "10.0.0/24",
    "::/24",
    "10.0.0.0/24/1",
  ])("refuses %s", (text) => expect(networkOf(text)).toBeUndefined());
});

it("knows whom to trust: addresses and CIDRs of both families", () => {
  for (const text of ["127.0.0.1", "::1", "10.0.0.0/8", "0.0.0.0/0", "fd00::/8", "::/128"]) {
    expect(isAddressOrCidr(text)).toBe(true);
  }
  for (const text of ["", "proxy", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/8/8"]) {
    expect(isAddressOrCidr(text)).toBe(false);
  }
});

describe("an IPv6 network for tunnels", () => {
  it.each(["fd66:42::/64", "fc00::/48", "2001:db8:1:2::/64", "2001:db8:1:2:3::/80", "3fff:1::/48"])(
    "takes %s",
    (text) => {
      expect(isNetwork6(text)).toBe(true);
    },
  );

  it.each([
    "fd66:42::/56",
    "fd66:42::1/64",
    "fd66:42:1:2:3::/64",
    "fe80::/64",
    "::/64",
    "64:ff9b::/64",
    "FD66:42::/64",
    "fd66::42::/64",
    "fd66:42:/64",
    "fd66:42::",
    "10.66.42.0/24",
    "fd66:42::/64\n",
  ])("refuses %j", (text) => {
    expect(isNetwork6(text)).toBe(false);
  });
});
