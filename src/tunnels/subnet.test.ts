import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cidrRange, formatIpv4, inSubnet, parseIpv4, parseSubnet, subnetAddresses } from "./subnet.ts";

describe("addresses", () => {
  it("come back as they went in", () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (n) => parseIpv4(formatIpv4(n)) === n));
  });
  it.each(["", "10.0.0", "10.0.0.256", "010.0.0.1", "10.0.0.1/32", " 10.0.0.1", "::1", "10.0.0.1\n"])(
    "are not %j",
    (text) => {
      expect(parseIpv4(text)).toBeUndefined();
    },
  );
});

describe("ranges", () => {
  it("hold every address of a CIDR, whichever of them it names", () => {
    expect(cidrRange("10.66.42.9/24")).toEqual({
      from: parseIpv4("10.66.42.0"),
      to: parseIpv4("10.66.42.255"),
    });
    expect(cidrRange("10.66.42.9")).toEqual({ from: parseIpv4("10.66.42.9"), to: parseIpv4("10.66.42.9") });
    expect(cidrRange("0.0.0.0/0")).toEqual({ from: 0, to: 2 ** 32 - 1 });
  });
  it.each(["fd00::/64", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8/8", "10.0.0.0/-1"])("are not %j", (text) => {
    expect(cidrRange(text)).toBeUndefined();
  });
});

describe("a subnet", () => {
  it("hands out neither the network's, nor the broadcast's, nor the server's address", () => {
    const addresses = [...subnetAddresses(parseSubnet("10.66.42.0/24"))];
    expect(addresses).toHaveLength(253);
    expect([addresses[0], addresses.at(-1)]).toEqual(["10.66.42.2", "10.66.42.254"]);
    expect([...subnetAddresses(parseSubnet("10.66.42.4/30"))]).toEqual(["10.66.42.6"]);
    expect([...subnetAddresses(parseSubnet("10.66.0.0/16"))]).toHaveLength(65_533);
    expect([...subnetAddresses(parseSubnet("10.66.42.1/32"))]).toEqual([]);
  });
  it("knows its own", () => {
    const subnet = parseSubnet("10.66.42.0/24");
    const asked = ["10.66.42.1", "10.66.42.2", "10.66.42.254", "10.66.42.255", "10.66.43.2", "no"];
    expect(asked.filter((address) => inSubnet(subnet, address))).toEqual(["10.66.42.2", "10.66.42.254"]);
  });
  it("is refused when it is none", () => {
    expect(() => parseSubnet("fd00::/64")).toThrow(/not an IPv4 subnet/);
  });
});
