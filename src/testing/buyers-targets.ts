import type { Target } from "./connections.ts";

/** The web, port 80; it also answers pings. */
export const WEB = { v4: "198.51.100.10", v6: "2001:db8:10::10" };

/** Whom a buyer of `OperatorHost` may reach. */
export const ALLOWED: readonly Target[] = [
  { name: "the web", address: WEB.v4, port: 443 },
  { name: "the web, v6", address: WEB.v6, port: 443 },
  { name: "this host's https", address: "203.0.113.5", port: 443 },
  { name: "this host's https, v6", address: "2001:db8:113::5", port: 443 },
];

/** Whom he may not. */
export const FORBIDDEN: readonly Target[] = [
  { name: "ssh on the public address", address: "203.0.113.5", port: 22 },
  { name: "ssh on the tunnel address", address: "10.66.42.1", port: 22 },
  { name: "https on the tunnel address", address: "10.66.42.1", port: 443 },
  { name: "a name server on the tunnel address", address: "10.66.42.1", port: 53 },
  { name: "https on the LAN address", address: "192.168.77.1", port: 443 },
  { name: "the LAN", address: "192.168.77.10", port: 443 },
  { name: "the LAN's public address", address: "198.51.101.10", port: 443 },
  { name: "the router", address: "203.0.113.1", port: 443 },
  { name: "a neighbour of the public address", address: "203.0.113.99", port: 443 },
  { name: "10/8 behind the router", address: "10.1.2.3", port: 443 },
  { name: "172.16/12 behind the router", address: "172.16.5.5", port: 443 },
  { name: "192.168/16 behind the router", address: "192.168.200.1", port: 443 },
  { name: "CGNAT", address: "100.64.0.1", port: 443 },
  { name: "cloud metadata", address: "169.254.169.254", port: 443 },
  { name: "Azure's metadata", address: "168.63.129.16", port: 443 },
  { name: "the other peer", address: "10.66.42.3", port: 22 },
  { name: "a mail server", address: "198.51.100.25", port: 25 },
  { name: "ssh on the public address, v6", address: "2001:db8:113::5", port: 22 },
  { name: "https on the tunnel address, v6", address: "fd66:42::1", port: 443 },
  { name: "https on the LAN address, v6", address: "fd77::1", port: 443 },
  { name: "the LAN, v6", address: "fd77::10", port: 443 },
  { name: "the LAN's public address, v6", address: "2001:db8:77::10", port: 443 },
  { name: "a neighbour of the public address, v6", address: "2001:db8:113::99", port: 443 },
  { name: "a private network behind the router, v6", address: "fd12::1", port: 443 },
  { name: "cloud metadata, v6", address: "fd00:ec2::254", port: 443 },
  { name: "the LAN by NAT64", address: "64:ff9b::c0a8:4d0a", port: 443 },
  { name: "the other peer, v6", address: "fd66:42::3", port: 22 },
  { name: "a mail server, v6", address: "2001:db8:10::25", port: 25 },
];

/** Addresses of the internet namespace, beside those of its link. */
export const BEHIND_THE_ROUTER = [
  ...["198.51.100.10", "198.51.100.25", "10.1.2.3", "172.16.5.5", "192.168.200.1", "100.64.0.1"],
  ...["169.254.169.254", "168.63.129.16"],
  ...[WEB.v6, "2001:db8:10::25", "fd12::1", "fd00:ec2::254", "64:ff9b::c0a8:4d0a"],
];
