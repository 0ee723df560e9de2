import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { InterfaceView, SeenPeer } from "../tunnels/ports.ts";
import { createDumpReader, parseDump } from "./dump.ts";

const key = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString("base64"));
const counter = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const octet = fc.nat({ max: 255 });
const cidr = fc.tuple(octet, octet, octet, octet).map((octets) => `${octets.join(".")}/32`);
const peer: fc.Arbitrary<SeenPeer> = fc.record({
  publicKey: key,
  allowedIps: fc.array(cidr, { maxLength: 3 }),
  receivedBytes: counter,
  sentBytes: counter,
  lastHandshakeAt: fc.nat(),
});
const view: fc.Arbitrary<InterfaceView> = fc.record({
  publicKey: fc.oneof(key, fc.constant("")),
  listenPort: fc.nat({ max: 65_535 }),
  peers: fc.array(peer, { maxLength: 5 }),
});

const PRIVATE_KEY = Buffer.alloc(32, 1).toString("base64");
const PRESHARED_KEY = Buffer.alloc(32, 2).toString("base64");
const ENDPOINT = "198.51.100.77:4242";

/** As wireguard-tools prints it. */
function render({ publicKey, listenPort, peers }: InterfaceView): string {
  const head = [PRIVATE_KEY, publicKey || "(none)", listenPort, "off"];
  const lines = peers.map((seen) => [
    ...[seen.publicKey, PRESHARED_KEY, ENDPOINT, seen.allowedIps.join(",") || "(none)"],
    ...[seen.lastHandshakeAt, seen.receivedBytes, seen.sentBytes, "off"],
  ]);
  return [head, ...lines].map((fields) => `${fields.join("\t")}\n`).join("");
}

describe("parseDump", () => {
  it("gives back what was printed, and neither private key, preshared key nor endpoint", () => {
    fc.assert(
      fc.property(view, (printed) => {
        const parsed = parseDump(render(printed));
        expect(parsed).toEqual(printed);
        const text = JSON.stringify(parsed);
        for (const secret of [PRIVATE_KEY, PRESHARED_KEY, ENDPOINT]) expect(text).not.toContain(secret);
      }),
    );
  });

  it("skips lines that are no peer's, whatever they are, and keeps those around them", () => {
    fc.assert(
      fc.property(view, fc.array(fc.string({ unit: "binary" })), (printed, odd) => {
        const parsed = parseDump(`${render(printed)}${odd.join("\t").replaceAll("\n", " ")}\n\n`);
        expect(parsed?.peers.slice(0, printed.peers.length)).toEqual(printed.peers);
      }),
    );
  });

  it("never throws", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => void parseDump(text)));
  });

  it("knows an interface without a key", () => {
    expect(parseDump("(none)\t(none)\t0\toff\n")).toEqual({ publicKey: "", listenPort: 0, peers: [] });
  });

  it.each(["", "\n", "wg0\n", "a\tb\tc\n"])("says so when the first line is no interface's: %j", (text) => {
    expect(parseDump(text)).toBeUndefined();
  });

  it.each([
    ["a bad key", "AAAA\t(none)\t(none)\t10.0.0.2/32\t0\t0\t0\toff"],
    ["a negative counter", `${PRIVATE_KEY}\t(none)\t(none)\t10.0.0.2/32\t0\t-1\t0\toff`],
    ["a line cut short", `${PRIVATE_KEY}\t(none)\t(none)\t10.0.0.2/32\t0\t5`],
  ])("skips %s", (_what, line) => {
    expect(parseDump(`${render({ publicKey: "", listenPort: 1, peers: [] })}${line}\n`)?.peers).toEqual([]);
  });

  it("caps a counter beyond what a number holds", () => {
    const line = `${PRIVATE_KEY}\t(none)\t(none)\t(none)\t0\t18446744073709551615\t0\t25`;
    const [seen] = parseDump(`${render({ publicKey: "", listenPort: 1, peers: [] })}${line}`)?.peers ?? [];
    expect(seen?.receivedBytes).toBe(Number.MAX_SAFE_INTEGER);
  });
});

describe("one dump after another", () => {
  it("says the same as each dump alone, whatever came and went between them", () => {
    fc.assert(
      fc.property(fc.array(peer, { maxLength: 5 }), fc.array(view, { minLength: 1 }), (stayers, views) => {
        const read = createDumpReader();
        for (const one of views) {
          const text = render({ ...one, peers: [...one.peers, ...stayers] });
          expect(read(text)).toEqual(parseDump(text));
        }
      }),
    );
  });

  it("gives the peer of a line that says the same again, and its addresses while they stay", () => {
    const read = createDumpReader();
    const [key, other] = [Buffer.alloc(32, 3), Buffer.alloc(32, 4)].map((bytes) => bytes.toString("base64"));
    const at = (publicKey = "", receivedBytes = 0, address = "10.66.42.2/32") => ({
      ...{ publicKey, allowedIps: [address], receivedBytes },
      ...{ sentBytes: 5, lastHandshakeAt: 0 },
    });
    const look = (...peers: SeenPeer[]) => read(render({ publicKey: "", listenPort: 1, peers }))?.peers ?? [];
    const [first] = look(at(key), at(other));
    const [, again] = look(at(other), at(key));
    expect(again).toBe(first);
    const [counted] = look(at(key, 9));
    expect(counted).not.toBe(first);
    expect(counted?.allowedIps).toBe(first?.allowedIps);
    const [moved] = look(at(key, 9, "10.66.42.3/32"));
    expect(moved?.allowedIps).toEqual(["10.66.42.3/32"]);
    look();
    const [back] = look(at(key, 9, "10.66.42.3/32"));
    expect(back).not.toBe(moved);
  });
});
