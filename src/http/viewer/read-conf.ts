import { isWireguardKey } from "../../protocol/wireguard-key.ts";

/** The one server whose .conf the viewer shows. */
export interface OwnServer {
  /** `host:port`, as it stands in the .conf. */
  endpoint: string;
  /** 32 bytes, base64. */
  publicKey: string;
}

declare const checked: unique symbol;
/** The text of a .conf that passed `readConf`: nothing else is ever shown. */
export type CheckedConf = string & { readonly [checked]: true };

export type ConfFlaw =
  | "too-long"
  | "strange-character"
  | "hook"
  | "unknown-line"
  | "bad-value"
  | "foreign-server"
  | "incomplete";

export type ConfReading = { conf: CheckedConf } | { flaw: ConfFlaw };

type Check = (value: string, server: OwnServer) => ConfFlaw | undefined;

/** With a private key in it, it fits into one QR code (ISO/IEC 18004: 2953 bytes at most). */
const MAX_CONF_BYTES = 2_900;

/** What the server writes (docs/spec.md, "The .conf"). A link that brings a private key is not for the buyer's good. */
const PRIVATE_KEY_TO_COME = "<PASTE YOUR OWN PRIVATE KEY HERE>";

/** What breaks a line, or makes a reader see other text than the file has. */
const STRANGE_CHARACTER = /(?!\n)[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

/** Commands that wg-quick runs as root. It reads keys in any case. */
const HOOK = /^(?:pre|post)(?:up|down)$/i;

const addresses: Check = (value) =>
  value.split(/, ?/).every((item) => /^[0-9a-f.:]{2,45}(?:\/\d{1,3})?$/i.test(item))
    ? undefined
    : "bad-value";
/** All traffic of both families: with less, some would go past the tunnel. A link cut off there has less. */
const everything: Check = (value) => (/^0\.0\.0\.0\/0, ?::\/0$/.test(value) ? undefined : "bad-value");
const wholeNumber: Check = (value) => (/^\d{1,5}$/.test(value) ? undefined : "bad-value");

const REQUIRED: ReadonlyMap<string, Check> = new Map<string, Check>([
  ["[Interface] PrivateKey", (value) => (value === PRIVATE_KEY_TO_COME ? undefined : "bad-value")],
  ["[Interface] Address", addresses],
  ["[Peer] PublicKey", (value, server) => (value === server.publicKey ? undefined : "foreign-server")],
  ["[Peer] Endpoint", (value, server) => (value === server.endpoint ? undefined : "foreign-server")],
  ["[Peer] AllowedIPs", everything],
]);

const KNOWN: ReadonlyMap<string, Check> = new Map<string, Check>([
  ...REQUIRED,
  ["[Interface] DNS", addresses],
  ["[Interface] MTU", wholeNumber],
  ["[Peer] PersistentKeepalive", wholeNumber],
]);

/**
 * Checks a stranger's text (rule 28): known keys, each once, no hooks, this server's endpoint and key. Never throws,
 * and a flaw quotes nothing.
 */
export function readConf(text: string, server: OwnServer): ConfReading {
  // Before it is encoded: no character is less than a byte.
  if (text.length > MAX_CONF_BYTES || new TextEncoder().encode(text).length > MAX_CONF_BYTES)
    return { flaw: "too-long" };
  if (STRANGE_CHARACTER.test(text)) return { flaw: "strange-character" };
  const flaw = flawInLines(text.split("\n"), server);
  return flaw === undefined ? { conf: text as CheckedConf } : { flaw };
}

function flawInLines(lines: readonly string[], server: OwnServer): ConfFlaw | undefined {
  const seen = new Set<string>();
  let section = "";
  for (const line of lines) {
    if (line === "") continue;
    if (line.startsWith("#")) {
      // No markup, and no second place where a private key would be asked for.
      if (/[<>]/.test(line)) return "strange-character";
      continue;
    }
    if (line === "[Interface]" || line === "[Peer]") {
      if (seen.has(line)) return "unknown-line";
      seen.add(line);
      section = line;
      continue;
    }
    const [, key = "", value = ""] = /^(\w+) *= *(.*)$/.exec(line) ?? [];
    const name = `${section} ${key}`;
    const flaw = HOOK.test(key) ? "hook" : seen.has(name) ? "unknown-line" : flawOf(name, value, server);
    if (flaw !== undefined) return flaw;
    seen.add(name);
  }
  return [...REQUIRED.keys()].every((name) => seen.has(name)) ? undefined : "incomplete";
}

function flawOf(name: string, value: string, server: OwnServer): ConfFlaw | undefined {
  const check = KNOWN.get(name);
  return check === undefined ? "unknown-line" : check(value, server);
}

/** The buyer's own key out of what was typed or pasted; `undefined` if it is not 32 bytes in base64. */
export function readPrivateKey(typed: string): string | undefined {
  const key = typed.trim();
  return isWireguardKey(key) ? key : undefined;
}

/** The .conf that a WireGuard client takes. */
export function withPrivateKey(conf: CheckedConf, privateKey: string): string {
  return conf.replace(PRIVATE_KEY_TO_COME, () => privateKey);
}
