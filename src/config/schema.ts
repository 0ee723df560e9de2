import { z } from "zod";
import * as field from "./fields.ts";

/** The config file, key by key. `config.example.toml` says the same to a person, and a test holds them together. */

const secretFile = (key: string) =>
  field.path.optional().describe(`File that holds ${key}, instead of the key itself. Keep it at mode 0600.`);

/** `dns = "1.1.1.1, 9.9.9.9"`, as wg-quick writes it. */
function splitText(value: unknown): unknown {
  return typeof value === "string" ? value.split(/[\s,]+/).filter((part) => part !== "") : value;
}

const server = field.table({
  host: field.bindHost
    .default("0.0.0.0")
    .describe("Address to listen on; 127.0.0.1 behind a proxy on this machine."),
  port: field.whole(1, 65_535).default(8080).describe("TCP port to listen on, plain HTTP."),
  public_host: field.publicHost.describe(
    "Name that buyers reach this server by, without https://, with a port unless it is 443; authorizations are bound to it.",
  ),
  trusted_proxies: field
    .list(field.proxyAddress, 'a list such as ["127.0.0.1", "10.0.0.0/8"]')
    .default(["127.0.0.0/8", "::1"])
    .describe(
      "Proxies whose X-Forwarded-For is believed. Only the limits on requests per client depend on it.",
    ),
});

const db = field.table({
  path: field.path
    .default("/var/lib/europa-node/sessions.db")
    .describe(
      "The SQLite file: sessions, sales and ecash not yet in the wallet. Its folder must be writable.",
    ),
});

const wireguard = field.table({
  interface: field.interfaceName
    .default("wg0")
    .describe("Name of the WireGuard interface, which must exist."),
  endpoint_host: field.endpointHost
    .optional()
    .describe("Name or address that tunnels connect to. Left out: the host of server.public_host."),
  endpoint_port: field.whole(1, 65_535).default(51_820).describe("UDP port that tunnels connect to."),
  server_pubkey: field.wireguardKey
    .optional()
    .describe(
      "Public key of the interface, 44 characters, as `wg show wg0 public-key` prints it. Needed unless WireGuard runs in memory.",
    ),
  subnet_cidr: field.subnet
    .default("10.66.42.0/24")
    .describe("IPv4 network of the tunnels, /16 to /30. The first address is the server's own."),
  subnet6: field.subnet6
    .optional()
    .describe(
      "IPv6 network of the tunnels, /48, /64 or /80, written with :: at its end. The first address is the server's own. Left out: no IPv6 passes.",
    ),
  dns: z
    .preprocess(
      splitText,
      field
        .list(field.ipAddress, 'a list such as ["1.1.1.1", "9.9.9.9"]')
        .min(1, { error: "at least one address, such as 1.1.1.1" })
        .default(["1.1.1.1", "9.9.9.9"]),
    )
    .describe("Name servers that buyers' configs name."),
  mtu: field
    .whole(1280, 1500, "bytes")
    .optional()
    .describe("MTU for buyers' configs. Left out: wg-quick's own choice."),
  exclusive: field.flag
    .default(false)
    .describe(
      "true: peers on the interface that were not sold here are removed; false: they are left alone.",
    ),
  enforcement: field
    .choice(["auto", "kernel", "daemon"])
    .default("auto")
    .describe(
      "What holds tunnels to their time and data: kernel, by nftables, also while the daemon is down; daemon, by looking every tick; auto, the kernel where nft and the rights are there.",
    ),
  rate_mbit: field
    .rateMbit()
    .optional()
    .describe(
      "How fast a tunnel is whose tier has no rate of its own, in Mbit/s each way. Left out: as fast as the host lets it.",
    ),
  max_flows: field
    .whole(0, 1_000_000)
    .default(4096)
    .describe(
      "How many connections one tunnel may hold in this host's conntrack table, where the kernel holds limits; 0 for any number.",
    ),
  address_hold_seconds: field
    .whole(0, 86_400, "seconds")
    .default(300)
    .describe(
      "Seconds for which an ended session's address waits for a late renewal before another buyer gets it.",
    ),
  tick_seconds: field
    .whole(1, 60, "seconds")
    .default(5)
    .describe(
      "Seconds between two looks at the interface: how soon it heals and how late a spent quota is seen.",
    ),
});

const lightning = field.table({
  enabled: field.flag.default(false).describe("Whether Lightning is accepted."),
  backend: field
    .choice(["phoenixd", "lnd", "stub"])
    .default("phoenixd")
    .describe("Kind of node: phoenixd, lnd, or stub, which pays itself and is for trials only."),
  base_url: field
    .webUrl("http://127.0.0.1:9740")
    .optional()
    .describe(
      "URL of the node's HTTP interface. Left out: http://127.0.0.1:9740 for phoenixd, https://127.0.0.1:8080 for lnd.",
    ),
  api_token: field
    .line("the node's password or macaroon")
    .optional()
    .describe(
      "Secret of the node: phoenixd's http-password-limited-access, or lnd's invoice.macaroon in hex.",
    ),
  api_token_file: secretFile("lightning.api_token, or is lnd's macaroon itself"),
  cert_file: field.path
    .optional()
    .describe("lnd's tls.cert, or a copy. Left out: certificates that the system trusts."),
  success_action: field
    .choice(["lud10", "v1"])
    .default("lud10")
    .describe(
      "Form of the encrypted config in an invoice's answer: lud10 for wallets, v1 for older buyers' clients.",
    ),
  invoice_seconds: field
    .whole(1, 86_400, "seconds")
    .default(600)
    .describe(
      "Seconds for which an invoice can be paid and holds an address. Shorter than 60 is for tests only.",
    ),
  invoice_grace_seconds: field
    .whole(0, 3600, "seconds")
    .default(120)
    .describe("How long after its end an unpaid invoice keeps its address. Shorter is for tests only."),
  stub_sells: field.flag
    .default(false)
    .describe(
      "true: with the stub, every invoice counts as paid after a second, so tunnels are given away; for trials only.",
    ),
});

const cashu = field.table({
  enabled: field.flag.default(false).describe("Whether ecash is accepted."),
  p2pk_privkey_hex: field.p2pkPrivateKey
    .optional()
    .describe(
      "Private key that buyers' ecash is locked to, 64 hex characters (`openssl rand -hex 32` makes one). Not your Nostr key.",
    ),
  p2pk_privkey_hex_file: secretFile("cashu.p2pk_privkey_hex"),
  mint_url: field.mintUrl
    .optional()
    .describe(
      "One more accepted mint, from older configs. New ones name their mints in listing.payment_methods.",
    ),
  settle_seconds: field
    .whole(1, 3600, "seconds")
    .default(60)
    .describe(
      "How long after a swap whose answer was lost the mint's word on it is final. Shorter is for tests only.",
    ),
  open_hold_seconds: field
    .whole(1, 86_400, "seconds")
    .default(600)
    .describe(
      "How long a sale that a mint leaves open keeps its address. The sale itself is never given up.",
    ),
  max_fee_sat: field
    .whole(0, 1_000_000, "sat")
    .default(10)
    .describe(
      "Most input fee of a mint, in sat, that you bear for one sale; never more than a fifth of its amount.",
    ),
});

const nostr = field.table({
  relays: field
    .list(field.relayUrl, 'a list such as ["wss://relay.example.com"]')
    .min(1, { error: "at least one relay's URL" })
    .describe("Relays for the listing and the wallet, ws:// or wss://. Three to five is a good number."),
  nsec: field.nostrSecretKey.describe("Your Nostr private key, nsec1… or 64 hex characters."),
  nsec_file: secretFile("nostr.nsec"),
});

const notifications = field.table({
  enabled: field.flag.default(false).describe("Whether the daemon sends you private messages (NIP-17)."),
  pubkey: field.nostrPubkey
    .optional()
    .describe("Who gets them, npub1… or 64 hex characters. Left out: your own account."),
  heartbeat_hours: field
    .whole(0, 720, "hours")
    .default(24)
    .describe("Hours between two signs of life; 0 for none."),
});

const backup = field.table({
  every: field.whole(0, 720, "hours").default(0).describe("Hours between two backups; 0 for none."),
  keep: field.whole(1, 1000).default(14).describe("How many of them are kept; the oldest goes first."),
  dir: field.path
    .default("/var/lib/europa-node/backups")
    .describe("Folder for them. On this disk they are lost with it: have it copied elsewhere."),
  recipient: field.ageRecipient
    .optional()
    .describe("age public key that backups are encrypted to; its private key alone opens them."),
  passphrase_file: field.path
    .optional()
    .describe("File that holds the passphrase for backups, instead of a recipient. Keep it at mode 0600."),
});

const price = field.table({
  amount: field.positive("a number above 0").describe("Price of one unit."),
  currency: z
    .string({ error: 'a currency such as "sat"' })
    .regex(/^[a-z]{2,10}$/i, { error: 'a currency such as "sat"' })
    .describe("Currency; only tiers in sat can be bought."),
  unit: field.unit.describe("What is sold: hour, day, week, month (30 days), GiB or TiB."),
  rate_mbit: field
    .rateMbit()
    .optional()
    .describe("How fast it is, in Mbit/s each way. Left out: as wireguard.rate_mbit says."),
});

const lightningMethod = field.table({
  type: z.literal("lightning").describe("lightning or cashu."),
  endpoint: field
    .webUrl("https://vpn.example.com/lnurlp")
    .optional()
    .describe("URL buyers pay at. Left out: https://<server.public_host>/lnurlp, or /purchase for cashu."),
  mechanism: field
    .choice(["bolt11", "lnurl-pay", "keysend"])
    .default("lnurl-pay")
    .describe("How a Lightning payment starts: lnurl-pay here."),
});

const cashuMethod = field.table({
  type: z.literal("cashu").describe("lightning or cashu."),
  mint: field.mintUrl.describe("URL of a mint whose ecash you accept. You trust it with what buyers paid."),
  p2pk: field.p2pkKey
    .optional()
    .describe("Public key of cashu.p2pk_privkey_hex, 66 hex characters. Left out: worked out from it."),
  endpoint: field
    .webUrl("https://vpn.example.com/purchase")
    .optional()
    .describe(lightningMethod.shape.endpoint.description ?? ""),
});

const listing = field.table({
  d_tag: field
    .line("a short name for this listing, such as my-vpn-1")
    .describe("Identifier of the listing under your key. Changed: the old listing is retired."),
  title: field.line("one line that names your offer").describe("Title in directories."),
  summary: field.line("one line about your offer").optional().describe("One line shown under the title."),
  content: field.prose("Markdown text").default("").describe("Full description, Markdown."),
  protocols: field
    .list(field.choice(["wireguard", "openvpn"]), '["wireguard"]')
    .default(["wireguard"])
    .describe("VPN protocols offered. This daemon serves wireguard."),
  policies: field
    .list(field.line("a word such as no-logs"), 'a list such as ["no-logs"]')
    .default([])
    .describe("Short words for your policies."),
  policy_url: field
    .webUrl("https://example.com/policy")
    .optional()
    .describe("Page with your policies in full."),
  protocol_config_url: field
    .webUrl("https://example.com/config")
    .optional()
    .describe("Page about the protocols' settings."),
  image: field.webUrl("https://example.com/image.png").optional().describe("Picture for directories."),
  topics: field
    .list(field.line("a word"), 'a list such as ["europe"]')
    .default([])
    .describe("Further topics to be found under."),
  price_grace: field
    .whole(0, 604_800, "seconds")
    .default(3600)
    .describe(
      "Seconds that a price is still honoured after it left the listing; buyers' ecash may be locked for it.",
    ),
  refresh_minutes: field
    .whole(1, 10_080, "minutes")
    .default(60)
    .describe("Minutes between two publications of the listing; directories drop it after 30 days."),
  sold_when_unreachable: field.flag
    .default(false)
    .describe(
      "true: after three buyers in a row whose tunnels never shook hands, the listing goes sold until one does.",
    ),
  region: field
    .table({
      country: field
        .line("a country's code such as DE")
        .default("")
        .describe("Country, ISO 3166-1, such as DE."),
      sub: field
        .line("a region's code such as DE-BE")
        .optional()
        .describe("Part of it, ISO 3166-2, such as DE-BE."),
      geohash: field
        .line("a geohash such as u33d")
        .optional()
        .describe("Geohash; four or five characters name a city."),
    })
    .optional()
    .describe("Where the traffic leaves."),
  capacity: field
    .table({
      amount: field.positive("a number above 0").describe("How much you can serve."),
      unit: field.line("a unit such as peers").describe("In which unit, in your own words."),
    })
    .optional()
    .describe("How much you can serve, for information."),
  min_purchase: field
    .quantity("Least that is sold at once")
    .optional()
    .describe("Least that is sold at once."),
  max_purchase: field.quantity("Most that is sold at once").optional().describe("Most that is sold at once."),
  prices: field
    .list(price, "[[listing.prices]] tables with amount, currency and unit")
    .min(1, { error: "at least one [[listing.prices]] table with amount, currency and unit" })
    .describe("The tiers, best known first: buyers' clients count them from 0."),
  payment_methods: z
    .array(
      z.discriminatedUnion("type", [lightningMethod, cashuMethod], {
        error: 'a table whose type is "lightning" or "cashu"',
      }),
      { error: "[[listing.payment_methods]] tables" },
    )
    .default([])
    .describe("How buyers pay; one table for each accepted mint."),
});

export const configFileSchema = field.table({
  server: server.prefault({} as z.input<typeof server>).describe("The HTTP server."),
  db: db.prefault({}).describe("The database."),
  wireguard: wireguard.prefault({}).describe("The interface that tunnels are sold on."),
  lightning: lightning.prefault({}).describe("Payment over Lightning."),
  cashu: cashu.prefault({}).describe("Payment in Cashu ecash."),
  nostr: nostr.prefault({} as z.input<typeof nostr>).describe("Your identity and relays."),
  notifications: notifications.prefault({}).describe("Private messages to you."),
  backup: backup.prefault({}).describe("Backups that the daemon makes by itself."),
  listing: listing.prefault({} as z.input<typeof listing>).describe("What the market sees."),
});

/** The file's content after the schema: defaults filled in, still in the file's own names. */
export type ConfigFile = z.output<typeof configFileSchema>;
