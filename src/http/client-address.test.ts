import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addressHasher, clientNetwork, trustedProxies } from "./client-address.ts";

const trusted = trustedProxies(["127.0.0.0/8", "::1", "10.0.0.7", "fd00::/8"]);

describe("clientNetwork", () => {
  it.each([
    ["nobody is trusted but proxies", "192.0.2.1", "198.51.100.9", "192.0.2.1"],
    ["the proxy's client", "127.0.0.1", "198.51.100.9", "198.51.100.9"],
    ["the right-most that is no proxy", "127.0.0.1", "203.0.113.66, 198.51.100.9, 10.0.0.7", "198.51.100.9"],
    ["what a client wrote to the left does not count", "::1", "127.0.0.1, 198.51.100.9", "198.51.100.9"],
    ["nothing forwarded", "127.0.0.1", undefined, "127.0.0.1"],
    ["only proxies: the left-most", "127.0.0.1", "10.0.0.7", "10.0.0.7"],
    ["rubbish ends the path", "127.0.0.1", "198.51.100.9, unknown", "127.0.0.1"],
    ["ports are left out", "127.0.0.1", "198.51.100.9:4711", "198.51.100.9"],
    ["brackets too", "127.0.0.1", "[2001:db8:1:2::3]:4711", "2001:db8:1:2::/64"],
    ["IPv6 by its /64", "2001:db8:1:2:3:4:5:6", undefined, "2001:db8:1:2::/64"],
    ["short IPv6", "2001:db8::1", undefined, "2001:db8:0:0::/64"],
    ["mapped IPv4", "::ffff:192.0.2.1", undefined, "192.0.2.1"],
    ["mapped IPv4 in hex", "::ffff:c000:201", undefined, "192.0.2.1"],
    ["a mapped proxy", "::ffff:127.0.0.1", "198.51.100.9", "198.51.100.9"],
    ["an IPv6 proxy", "fd12::3", "198.51.100.9", "198.51.100.9"],
    ["no address at all", undefined, "198.51.100.9", ""],
  ])("%s", (_name, connection, forwardedFor, client) => {
    expect(clientNetwork(connection, forwardedFor, trusted)).toBe(client);
  });

  it("takes any header for what it is: text of a stranger", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(clientNetwork("192.0.2.1", text, trusted)).toBe("192.0.2.1");
        expect(clientNetwork("127.0.0.1", `${text}, 198.51.100.9`, trusted)).toBe("198.51.100.9");
        expect(typeof clientNetwork("127.0.0.1", text, trusted)).toBe("string");
      }),
    );
  });

  it("has the same network for all spellings and hosts of a /64", () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        const network = clientNetwork(address, undefined, trustedProxies([]));
        fc.pre(network.endsWith("/64"));
        expect(clientNetwork(`${network.slice(0, -5)}:0:0:0:1`, undefined, trustedProxies([]))).toBe(network);
      }),
    );
  });
});

it("hashes alike within a process and differently in another", () => {
  const hash = addressHasher();
  expect(hash("192.0.2.1")).toBe(hash("192.0.2.1"));
  expect(hash("192.0.2.1")).not.toBe(hash("192.0.2.2"));
  expect(hash("192.0.2.1")).not.toBe(addressHasher()("192.0.2.1"));
});
