import { expect, it } from "vitest";
import { withIpv6 } from "../tunnels/both-families.ts";
import { sealConfOf } from "./lnurl-desk.ts";
import { StartRefused } from "./start-refused.ts";

const server = {
  pubkey: "ab".repeat(32),
  coordinate: `30402:${"ab".repeat(32)}:vpn`,
  serverPublicKey: `${"A".repeat(42)}E=`,
  endpoint: "vpn.example.com:51820",
  dns: ["1.1.1.1"],
  mtu: 1420,
  rateMbit: null,
  inBoth: withIpv6("fd66:42::/64"),
};

it("refuses to start where no .conf would fit into an invoice's answer, naming the key and the mend", () => {
  expect(() => sealConfOf(server, "vpn.example.com")).not.toThrow();
  const dns = Array.from({ length: 100 }, (_, index) => `2001:db8:1111:2222:3333:4444:5555:${1000 + index}`);
  const refused = expect(() => sealConfOf({ ...server, dns }, "vpn.example.com"));
  refused.toThrow(StartRefused);
  refused.toThrow(/^wireguard\.dns: .*name fewer/);
});
