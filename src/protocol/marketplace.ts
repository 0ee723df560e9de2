/** Version of the wire rules, as `/info` and the purchase comment name it. */
export const SPEC_VERSION = "vpn-marketplace/1";

/** NIP-99. */
export const LISTING_KIND = 30402;
/** BUD-11. */
export const AUTHORIZATION_KIND = 24242;
/** NIP-51 app curation set. */
export const ENDORSEMENT_KIND = 30267;
/** NIP-56. */
export const REPORT_KIND = 1984;

/** Both are written, either is enough when reading: older directories filter on the second. */
export const MARKETPLACE_TOPICS: readonly string[] = ["europa-protocol", "vpn-marketplace"];

/** `t` values that name a VPN protocol rather than a free topic. */
export const VPN_PROTOCOLS: readonly string[] = ["wireguard", "openvpn"];

export const PUBKEY_HEX = /^[0-9a-f]{64}$/;
