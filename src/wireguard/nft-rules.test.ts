import { expect, it } from "vitest";
import { parseRuleset, sourceNatRules } from "./nft-rules.ts";

const match = (left: object, right: unknown, op = "==") => ({ match: { op, left, right } });
const out = (right: unknown, op?: string) => match({ meta: { key: "oifname" } }, right, op);
const from = (right: unknown) => match({ payload: { protocol: "ip", field: "saddr" } }, right);
const prefix = (addr: string, len: number) => ({ prefix: { addr, len } });

function rulesOf(...exprs: object[][]) {
  const rules = exprs.map((expr) => ({
    rule: { family: "ip", table: "nat", chain: "POSTROUTING", handle: 1, expr },
  }));
  const ruleset = parseRuleset(JSON.stringify({ nftables: [{ metainfo: { version: "1" } }, ...rules] }));
  return ruleset && sourceNatRules(ruleset).map(({ outInterfaces, sources }) => [outInterfaces, sources]);
}

it("reads NAT by nft: interface and source, as a word, a prefix or a set", () => {
  expect(
    rulesOf(
      [from(prefix("10.66.42.0", 24)), out("eth0"), { masquerade: null }],
      [out({ set: ["eth0", "eth1"] }), { snat: { addr: "203.0.113.5" } }],
      [{ masquerade: {} }],
    ),
  ).toEqual([
    [["eth0"], ["10.66.42.0/24"]],
    [["eth0", "eth1"], undefined],
    [undefined, undefined],
  ]);
});

it("reads NAT by iptables-nft, and no other rule", () => {
  expect(rulesOf([out("eth0"), { counter: {} }, { xt: { type: "target", name: "MASQUERADE" } }])).toEqual([
    [["eth0"], undefined],
  ]);
  expect(rulesOf([out("eth0"), { accept: null }], [{ xt: { type: "target", name: "LOG" } }])).toEqual([]);
});

it("takes a rule that excludes an interface for no word on the others", () => {
  expect(rulesOf([out("wg0", "!="), { masquerade: null }])).toEqual([[undefined, undefined]]);
});

it("gives undefined for what is not nft's", () => {
  expect(parseRuleset("")).toBeUndefined();
  expect(parseRuleset('{"other":[]}')).toBeUndefined();
});
