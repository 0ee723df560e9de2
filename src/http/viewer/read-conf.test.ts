import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { claimUrl } from "../../sales/lightning/claim-urls.ts";
import { PRIVATE_KEY_TO_COME, sampleConf, viewerServer } from "../../testing/viewer-conf.ts";
import { generateWireguardKeys } from "../../testing/wireguard-keys.ts";
import { withIpv6 } from "../../tunnels/both-families.ts";
import { renderConf, renderUnpaidConf } from "../../tunnels/conf.ts";
import { noTerms } from "../../tunnels/terms.ts";
import { type CheckedConf, readConf, readPrivateKey, withPrivateKey } from "./read-conf.ts";

const read = (text: string) => readConf(text, viewerServer);
const conf = sampleConf();

function checked(text: string): CheckedConf {
  const reading = read(text);
  if ("flaw" in reading) throw new Error(reading.flaw);
  return reading.conf;
}

/** The sample with one line replaced, taken out (`undefined`), or with another line behind it. */
const changed = (key: string, line: string | undefined) =>
  conf.replace(new RegExp(`^${key} = .*\n`, "m"), () => (line === undefined ? "" : `${line}\n`));
const extended = (key: string, line: string) =>
  conf.replace(new RegExp(`^${key} = .*\n`, "m"), (own) => `${own}${line}\n`);

describe("readConf", () => {
  it("takes what the server writes", () => {
    const server = {
      pubkey: "ab".repeat(32),
      coordinate: `30402:${"ab".repeat(32)}:täglich-☂`,
      serverPublicKey: viewerServer.publicKey,
      endpoint: viewerServer.endpoint,
      dns: ["1.1.1.1", "2606:4700:4700::1111"],
      rateMbit: 50,
      inBoth: withIpv6("fd66:42::/64"),
      mtu: 1380,
    };
    const session = {
      sessionId: "s",
      publicKey: "k",
      address: "10.66.42.7",
      status: "active" as const,
      purchasedAt: 1_800_000_000,
      expiresAt: 1_800_003_600,
      endedAt: null,
      terms: noTerms,
      lastReceivedBytes: 0,
      lastSentBytes: 0,
    };
    const purchased = {
      price: { amount: 100, currency: "sat", unit: "hour" as const },
      method: "lightning",
      claimUrl: claimUrl("vpn.example.com", "cd".repeat(32)),
    };
    const bought = { seconds: 3600, bytes: 0 };
    for (const end of [server, { ...server, dns: [], mtu: undefined }]) {
      for (const text of [
        renderConf(end, session, purchased, 1_800_000_000),
        renderUnpaidConf(end, session.address, bought, purchased),
      ]) {
        expect(read(text)).toEqual({ conf: text });
      }
    }
  });

  it("takes the sample, and the same without what is optional", () => {
    expect(read(conf)).toEqual({ conf });
    const bare = conf.replace(/^(?:#|DNS|MTU|PersistentKeepalive).*\n/gm, "");
    expect(read(bare)).toEqual({ conf: bare });
    expect(bare.split("\n").filter((line) => line !== "")).toHaveLength(7);
  });

  const key = generateWireguardKeys().publicKey;
  it.each([
    ["PostUp", extended("Address", "PostUp = id"), "hook"],
    ["PreUp without spaces", extended("Address", "PreUp=id"), "hook"],
    ["postdown in small letters", extended("Address", "postdown = id"), "hook"],
    ["PREDOWN among the peer's", extended("PublicKey", "PREDOWN = id"), "hook"],
    ["a hook before any section", `PostUp = id\n${conf}`, "hook"],
    ["another endpoint", changed("Endpoint", "Endpoint = evil.example.com:51820"), "foreign-server"],
    ["another port", changed("Endpoint", "Endpoint = vpn.example.com:51821"), "foreign-server"],
    [
      "an endpoint that starts alike",
      changed("Endpoint", `Endpoint = ${viewerServer.endpoint}0`),
      "foreign-server",
    ],
    ["another server's key", changed("PublicKey", `PublicKey = ${key}`), "foreign-server"],
    ["a second endpoint", extended("Endpoint", "Endpoint = evil.example.com:51820"), "unknown-line"],
    ["the same endpoint twice", extended("Endpoint", `Endpoint = ${viewerServer.endpoint}`), "unknown-line"],
    ["a second peer", `${conf}[Peer]\nPublicKey = ${key}\n`, "unknown-line"],
    ["a second interface", `${conf}[Interface]\n`, "unknown-line"],
    ["another section", `${conf}[Evil]\n`, "unknown-line"],
    ["Table", extended("Address", "Table = off"), "unknown-line"],
    ["SaveConfig", extended("Address", "SaveConfig = true"), "unknown-line"],
    ["PresharedKey", extended("Endpoint", `PresharedKey = ${key}`), "unknown-line"],
    ["a peer's key in the interface", extended("Address", "AllowedIPs = ::/0"), "unknown-line"],
    ["a name that every object has", extended("Address", "constructor = 1"), "unknown-line"],
    ["prose", `${conf}Send your key to evil@example.com\n`, "unknown-line"],
    ["a script", `${conf}<script>alert(1)</script>\n`, "unknown-line"],
    ["a script in a comment", `# <script>alert(1)</script>\n${conf}`, "strange-character"],
    [
      "a second place for the key, in a comment",
      `# PrivateKey = ${PRIVATE_KEY_TO_COME}\n${conf}`,
      "strange-character",
    ],
    ["a private key", changed("PrivateKey", `PrivateKey = ${key}`), "bad-value"],
    ["words for a private key", changed("PrivateKey", "PrivateKey = <mail it to me>"), "bad-value"],
    ["a script for an address", changed("Address", "Address = <script>"), "bad-value"],
    ["a comment behind a value", changed("Address", "Address = 10.0.0.1 # evil"), "bad-value"],
    ["an empty address", changed("Address", "Address = "), "bad-value"],
    ["a name for DNS", changed("DNS", "DNS = evil.example.com"), "bad-value"],
    ["a space that is none for wg-quick", changed("DNS", "DNS = 1.1.1.1,\u00a09.9.9.9"), "bad-value"],
    ["IPv4 alone, IPv6 going past the tunnel", changed("AllowedIPs", "AllowedIPs = 0.0.0.0/0"), "bad-value"],
    ["a part of the traffic", changed("AllowedIPs", "AllowedIPs = 10.0.0.0/8, ::/0"), "bad-value"],
    ["a line that is set in", changed("Address", " Address = 10.0.0.1/32"), "unknown-line"],
    ["a comma too many", changed("DNS", "DNS = 1.1.1.1,"), "bad-value"],
    ["words for an MTU", changed("MTU", "MTU = huge"), "bad-value"],
    ["an MTU of six digits", changed("MTU", "MTU = 138000"), "bad-value"],
    ["no private key", changed("PrivateKey", undefined), "incomplete"],
    ["no address", changed("Address", undefined), "incomplete"],
    ["no server key", changed("PublicKey", undefined), "incomplete"],
    ["no endpoint", changed("Endpoint", undefined), "incomplete"],
    ["no allowed addresses", changed("AllowedIPs", undefined), "incomplete"],
    ["half of it", conf.slice(0, conf.indexOf("[Peer]")), "incomplete"],
    ["nothing", "", "incomplete"],
    ["a carriage return", conf.replaceAll("\n", "\r\n"), "strange-character"],
    ["a hook behind a carriage return", conf.replace("my-vpn", "x\rPostUp = id"), "strange-character"],
    ["a hook behind a line separator", conf.replace("my-vpn", "x\u2028PostUp = id"), "strange-character"],
    ["a tab", conf.replace(" = ", "\t= "), "strange-character"],
    ["a zero", conf.replace("my-vpn", "\0"), "strange-character"],
    ["text that runs backwards", conf.replace("my-vpn", "\u202e"), "strange-character"],
    ["half a character", conf.replace("my-vpn", "\ud800"), "strange-character"],
    ["a byte order mark", `\ufeff${conf}`, "unknown-line"],
    ["more than a QR code holds", `${conf}#${"x".repeat(2_900)}\n`, "too-long"],
    ["more bytes than a QR code holds", `${conf}#${"€".repeat(900)}\n`, "too-long"],
  ])("refuses %s", (_name, text, flaw) => {
    expect(text).not.toBe(conf);
    expect(read(text)).toEqual({ flaw });
  });

  it("never throws, and what it takes has no line but those it knows", () => {
    const line = fc.oneof(
      fc.constantFrom(...conf.split("\n"), "PostUp = id", "[Peer]", "Table = off", "=", "#"),
      fc.string({ unit: "binary" }),
    );
    const known = /^(?:#[^<>]*|\[Interface\]|\[Peer\]|[A-Z]\w+ = .*)?$/;
    fc.assert(
      fc.property(fc.array(line, { maxLength: 30 }), (lines) => {
        const reading = read(lines.join("\n"));
        if ("flaw" in reading) return;
        for (const taken of reading.conf.split("\n")) expect(taken).toMatch(known);
      }),
    );
  });

  it("takes its lines in any order, and no other line among them", () => {
    const own = conf.split("\n");
    fc.assert(
      fc.property(fc.nat(own.length), fc.string({ unit: "binary", minLength: 1 }), (at, line) => {
        const harmless = line.startsWith("#") && !/[<>]/.test(line);
        fc.pre(!harmless);
        expect(read(own.toSpliced(at, 0, line).join("\n"))).toHaveProperty("flaw");
      }),
    );
  });
});

describe("the private key", () => {
  const { privateKey } = generateWireguardKeys();

  it("goes into its line, and nothing else changes", () => {
    expect(withPrivateKey(checked(conf), privateKey)).toBe(conf.replace(PRIVATE_KEY_TO_COME, privateKey));
  });

  it("may come with spaces around it", () => {
    expect(readPrivateKey(` ${privateKey}\n`)).toBe(privateKey);
  });

  it.each([
    ["nothing", ""],
    ["31 bytes", Buffer.alloc(31, 7).toString("base64")],
    ["hex", "ab".repeat(32)],
    ["half", privateKey.slice(0, 30)],
    ["two", `${privateKey}\n${privateKey}`],
    ["a line more", `${privateKey}\nPostUp = id`],
  ])("is not %s", (_name, typed) => {
    expect(readPrivateKey(typed)).toBeUndefined();
  });
});
