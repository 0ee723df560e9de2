import { generateWireguardKeys } from "./wireguard-keys.ts";

export const PRIVATE_KEY_TO_COME = "<PASTE YOUR OWN PRIVATE KEY HERE>";

export const viewerServer = {
  endpoint: "vpn.example.com:51820",
  publicKey: generateWireguardKeys().publicKey,
};

/** A .conf as it is sealed for the viewer of `viewerServer`, with its longest lines. */
export function sampleConf(address = "10.66.42.7"): string {
  return `# WireGuard tunnel bought over europa-protocol
# Operator: ${"ab".repeat(32)}
# Listing: 30402:${"ab".repeat(32)}:my-vpn
# Tier: 1000 sat/day
# Method: lightning
# claim: https://vpn.example.com/lnurlp/config/${"cd".repeat(32)}

[Interface]
PrivateKey = ${PRIVATE_KEY_TO_COME}
Address = ${address}/32
DNS = 1.1.1.1, 9.9.9.9
MTU = 1380

[Peer]
PublicKey = ${viewerServer.publicKey}
Endpoint = ${viewerServer.endpoint}
AllowedIPs = 0.0.0.0/0, ::/0
PersistentKeepalive = 25
`;
}

/** What stands behind the `#` of a viewer's link. */
export function viewerFragment(conf: string, preimage?: string): string {
  const encoded = Buffer.from(conf).toString("base64url");
  return preimage === undefined ? encoded : `${encoded}.${preimage}`;
}
