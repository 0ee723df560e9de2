import type { Operator } from "./operator.ts";

/** A file that starts the known daemon: every key that it knows, and none that is new. */
export function oldConfig(operator: Operator, relayUrl: string, mintUrl: string): string {
  const { publicHost, databasePath, serverKeys, p2pk, p2pkPrivkeyHex, nsecHex, dTag } = operator;
  const [host, port] = publicHost.split(":");
  return `
[server]
host = "${host}"
port = ${port}
public_host = "${publicHost}"

[db]
path = "${databasePath}"

[wireguard]
interface = "wg0"
endpoint_host = "${host}"
endpoint_port = 51820
server_pubkey = "${serverKeys.publicKey}"
subnet_cidr = "10.66.42.0/24"
dns = ["1.1.1.1", "9.9.9.9"]

[lightning]
enabled = false
backend = "phoenixd"
base_url = "http://127.0.0.1:9740"
api_token = ""

[cashu]
enabled = true
p2pk_privkey_hex = "${p2pkPrivkeyHex}"
mint_url = "${mintUrl}"

[nostr]
relays = ["${relayUrl}"]
nsec = "${nsecHex}"

[notifications]
enabled = false
pubkey = "${operator.pubkey}"
heartbeat_hours = 24

[listing]
d_tag = "${dTag}"
title = "Tunnels of old"
summary = "As ever"
content = "Nothing is logged."
protocols = ["wireguard"]
policies = ["no-logs"]
policy_url = "https://example.com/policy"
protocol_config_url = "https://example.com/setup"
image = "https://example.com/picture.png"
topics = ["vpn"]

[listing.region]
country = "US"
sub = "US-FL"
geohash = "dhvr5"

[listing.capacity]
amount = 253
unit = "peers"

[listing.min_purchase]
amount = 1
unit = "hour"

[listing.max_purchase]
amount = 3
unit = "month"

[[listing.prices]]
amount = 100
currency = "sat"
unit = "day"

[[listing.payment_methods]]
type = "lightning"
endpoint = "http://${publicHost}/lnurlp"
mechanism = "lnurl-pay"

[[listing.payment_methods]]
type = "cashu"
mint = "${mintUrl}"
p2pk = "${p2pk}"
endpoint = "http://${publicHost}/purchase"
`;
}
