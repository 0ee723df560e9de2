import { isIP } from "node:net";
import { z } from "zod";
import { isRecipient } from "../backup/age.ts";
import { normaliseMintUrl } from "../protocol/mint-url.ts";
import { isUnit } from "../protocol/price.ts";
import { isWireguardKey } from "../protocol/wireguard-key.ts";
import {
  isAddressOrCidr,
  isHost,
  isHostWithPort,
  isNetwork6,
  networkOf,
  withoutBrackets,
} from "./addresses.ts";
import { publicKeyOf, readPubkey, readSecretKey } from "./keys.ts";

/** Kinds of value. Each one's error says what to write instead: it ends the line "<key>: <what is wrong>; write …". */

function checked(test: (text: string) => boolean, write: string) {
  return z.string({ error: write }).refine(test, { error: write });
}

export function prose(write: string) {
  return z.string({ error: write });
}

/** One line: such text ends in tags, headers of a .conf, logs. */
export function line(write: string) {
  return checked((text) => text.trim() !== "" && text.length <= 1000 && !/\p{Cc}/u.test(text), write);
}

export function url(schemes: readonly string[], write: string) {
  return checked((text) => {
    if (/[\s\\<>"]/.test(text) || !URL.canParse(text)) return false;
    const parsed = new URL(text);
    return (
      schemes.includes(parsed.protocol) && parsed.hostname !== "" && parsed.username + parsed.password === ""
    );
  }, write);
}

export const webUrl = (example: string) => url(["https:", "http:"], `a URL such as ${example}`);
export const relayUrl = url(["wss:", "ws:"], "a relay's URL such as wss://relay.example.com");

export function whole(min: number, max: number, unit = "") {
  const write = `a whole number${unit && ` of ${unit}`} from ${min} to ${max}`;
  return z.int({ error: write }).min(min, { error: write }).max(max, { error: write });
}

export function positive(write: string) {
  return z.number({ error: write }).positive({ error: write }).max(Number.MAX_SAFE_INTEGER, { error: write });
}

export function rateMbit() {
  const write = "a number of Mbit/s from 0.1 to 100000";
  return z.number({ error: write }).min(0.1, { error: write }).max(100_000, { error: write });
}

export function choice<const T extends readonly [string, ...string[]]>(values: T) {
  const names = values.map((value) => `"${value}"`);
  return z.enum(values, { error: `${names.slice(0, -1).join(", ")} or ${names.at(-1)}` });
}

export const flag = z.boolean({ error: "true or false, without quotes" });

export function table<T extends z.ZodRawShape>(shape: T) {
  return z.object(shape, { error: "a table of keys and values" });
}

export function list<T extends z.ZodType>(item: T, write: string) {
  return z.array(item, { error: write });
}

export const unit = z
  .string({ error: "one of hour, day, week, month, GiB, TiB" })
  .refine(isUnit, { error: "one of hour, day, week, month, GiB, TiB" });

export const quantity = (what: string) =>
  table({
    amount: positive("a number above 0").describe(`${what}: how many units.`),
    unit: unit.describe(`${what}: the unit: hour, day, week, month, GiB or TiB.`),
  });

export const publicHost = checked(
  isHostWithPort,
  "the name buyers reach you by, without https:// and path, such as vpn.example.com or vpn.example.com:8443",
);
export const bindHost = checked(isHost, "an address of this machine, such as 0.0.0.0 or 127.0.0.1");
export const endpointHost = checked(
  (text) => isHost(withoutBrackets(text)),
  "a name or address without scheme and port, such as vpn.example.com or 192.0.2.1",
);
export const ipAddress = checked(
  (text) => isIP(text) !== 0 && !text.includes("%"),
  "an IP address such as 1.1.1.1",
);
export const proxyAddress = checked(isAddressOrCidr, "an IP address or CIDR such as 127.0.0.1 or 10.0.0.0/8");
export const subnet = checked(
  (text) => networkOf(text) !== undefined,
  "an IPv4 network of /16 to /30, such as 10.66.42.0/24",
);

export const subnet6 = checked(
  isNetwork6,
  "an IPv6 network of /48, /64 or /80 with :: before the slash, such as fd66:42::/64",
);
/** Rule 22; `wg show` takes two words for something else than a name. */
export const interfaceName = checked(
  (text) =>
    /^[A-Za-z0-9_.][A-Za-z0-9_.-]{0,14}$/.test(text) && !["all", "interfaces", ".", ".."].includes(text),
  "an interface's name such as wg0: at most 15 of letters, digits, _ . and -",
);
export const wireguardKey = checked(
  isWireguardKey,
  "this server's WireGuard public key, 44 characters, as `wg show wg0 public-key` prints it",
);
export const mintUrl = checked(
  (text) => normaliseMintUrl(text) !== undefined,
  "a mint's URL such as https://mint.example.com, without query",
);
export const p2pkKey = checked(
  (text) => /^0[23][0-9a-f]{64}$/i.test(text),
  "a public key of 66 hex characters that starts with 02 or 03, or leave it out: it follows from cashu.p2pk_privkey_hex",
);
export const p2pkPrivateKey = checked(
  (text) => publicKeyOf(text) !== undefined,
  "a private key of 64 hex characters (`openssl rand -hex 32` makes one)",
);
export const nostrSecretKey = checked(
  (text) => readSecretKey(text) !== undefined,
  "your Nostr private key, nsec1… or 64 hex characters, or name a file that holds it in nostr.nsec_file",
);
export const nostrPubkey = checked(
  (text) => readPubkey(text) !== undefined,
  "a Nostr public key, npub1… or 64 hex characters",
);
export const ageRecipient = checked(
  isRecipient,
  "a public key of age, age1…, as `age-keygen` prints it; keep its private key off this machine",
);
export const path = line("a path such as /var/lib/europa-node/sessions.db");
