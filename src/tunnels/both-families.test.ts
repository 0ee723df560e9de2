import { expect, it } from "vitest";
import { alone, companionOf, serverAddress6, withIpv6 } from "./both-families.ts";

it("gives each IPv4 address an IPv6 address of its own, as wg prints it", () => {
  const both = withIpv6("fd66:42::/64");
  expect(both("10.66.42.7")).toEqual(["10.66.42.7", "fd66:42::a42:2a07"]);
  expect(both("10.0.0.2")).toEqual(["10.0.0.2", "fd66:42::a00:2"]);
  expect(withIpv6("2001:db8:1:2::/64")("10.66.42.7")[1]).toBe("2001:db8:1:2::a42:2a07");
  expect(withIpv6(undefined)("10.66.42.7")).toEqual(["10.66.42.7"]);
  expect(serverAddress6("fd66:42::/64")).toBe("fd66:42::1");
});

it.each(["10.66.42.7", "10.0.0.0", "192.168.255.255", "1.0.0.0", "10.1.0.0"])(
  "finds %s from its company",
  (address) => {
    for (const subnet6 of ["fd66:42::/64", "2001:db8:1:2:3::/80"]) {
      const [, address6 = ""] = withIpv6(subnet6)(address);
      expect(companionOf(subnet6, address6)).toBe(address);
    }
  },
);

it("finds none for what is in no tunnel's place", () => {
  expect(companionOf("fd66:42::/64", "fd66:43::a42:2a07")).toBeUndefined();
  expect(companionOf("fd66:42::/64", "fd66:42::1:a42:2a07")).toBeUndefined();
  expect(companionOf("fd66:42::/64", "no address")).toBeUndefined();
  expect(companionOf(undefined, "fd66:42::a42:2a07")).toBeUndefined();
});

it("says the mask of one address", () => {
  expect([alone("10.66.42.7"), alone("fd66:42::1")]).toEqual(["10.66.42.7/32", "fd66:42::1/128"]);
});
