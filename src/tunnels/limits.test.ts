import { describe, expect, it } from "vitest";
import { compareLimits, limitName, limitOf, usedBytes } from "./limits.ts";
import type { LimitsView, SessionLimit } from "./ports.ts";
import { noTerms, type Terms } from "./terms.ts";

const NOW = 1_800_000_000;
const limit = (
  terms: Partial<Terms>,
  sessionId = "one",
  addresses = ["10.66.42.2"],
  rateMbit: number | null = null,
) => limitOf({ sessionId, terms: { ...noTerms, ...terms }, rateMbit }, addresses, NOW * 1000);
const name = limitName("one");

/** The kernel as it is when these limits have been set. */
function held(...limits: SessionLimit[]): LimitsView {
  const each = <T>(of: (limit: SessionLimit) => T | undefined) =>
    limits.flatMap((one) => {
      const found = of(one);
      return found === undefined ? [] : one.addresses.map((address) => [address, found] as const);
    });
  return {
    whole: true,
    time: new Map(each(({ time }) => time).map(([address, { leftMs }]) => [address, leftMs])),
    data: new Map(each((one) => one.data && { name: one.name, leftMs: one.data.leftMs })),
    counts: new Map(limits.flatMap((one) => (one.data ? [[one.name, one.data] as const] : []))),
    rates: new Map(
      limits.flatMap(({ addresses: [ipv4 = ""], rateMbit }) =>
        rateMbit === null ? [] : [[ipv4, rateMbit] as const],
      ),
    ),
    limited: new Set(limits.flatMap(({ addresses }) => addresses)),
  };
}

describe("a session's limit", () => {
  it("is time, then data behind it, each to its own end", () => {
    const terms = { timeUntil: NOW + 60, dataUntil: NOW + 90, quotaBytes: 1000, usedBytes: 100 };
    expect(limit(terms)).toEqual({
      name,
      addresses: ["10.66.42.2"],
      time: { leftMs: 60_000 },
      data: { leftMs: 90_000, totalBytes: 1000, usedBytes: 100 },
      rateMbit: null,
    });
    expect(limit({ timeUntil: NOW, quotaBytes: 1000, dataUntil: null })).toMatchObject({
      time: undefined,
      data: { leftMs: null },
    });
    expect(limit({ quotaBytes: 1000, usedBytes: 1000, dataUntil: NOW + 9 }).data).toBeUndefined();
    expect(limit({ quotaBytes: 1000, dataUntil: NOW }).data).toBeUndefined();
  });

  it("is none for an old session without limits, and no timer of more than ten years", () => {
    expect(limit({})).toMatchObject({ time: { leftMs: null }, data: undefined });
    expect(limit({ timeUntil: Number.MAX_SAFE_INTEGER })).toMatchObject({ time: { leftMs: null } });
  });

  it("takes of an old row's numbers what nft can be told", () => {
    expect(limit({ quotaBytes: 10.7, usedBytes: -3.2 }).data).toMatchObject({ totalBytes: 10, usedBytes: 0 });
    expect(limitName("'; flush ruleset")).toMatch(/^s[0-9a-f]{32}$/);
  });
});

describe("comparing", () => {
  const time = limit({ timeUntil: NOW + 60 });
  const data = limit({ quotaBytes: 1000, dataUntil: NOW + 90 });
  const nothingToDo = { rebuild: false, set: [], remove: [] };

  it("finds nothing to do where all is as it should be, to the slack of what nft prints", () => {
    expect(compareLimits(held(time), [time], true)).toEqual(nothingToDo);
    expect(compareLimits(held(data), [data], true)).toEqual(nothingToDo);
    const rounded = { ...held(time), time: new Map([["10.66.42.2", 58_000]]) };
    expect(compareLimits(rounded, [time], true)).toEqual(nothingToDo);
  });

  it("builds everything where something of ours is missing", () => {
    const change = compareLimits({ ...held(data), whole: false }, [data], true);
    expect(change).toEqual({ rebuild: true, set: [{ ...data, counts: "anew" }], remove: [] });
  });

  it.each([
    ["an end that moved", held(limit({ timeUntil: NOW + 100 })), time],
    [
      "time where there was none",
      held(data),
      limit({ timeUntil: NOW + 60, quotaBytes: 1000, dataUntil: NOW + 90 }),
    ],
    [
      "no time where there was some",
      held(limit({ timeUntil: NOW + 60, quotaBytes: 1000, dataUntil: NOW + 90 })),
      data,
    ],
    ["an end where there was none", held(limit({})), time],
    ["an address that has none", { ...held(time), limited: new Set<string>() }, time],
    ["a total that grew", held(limit({ quotaBytes: 999, dataUntil: NOW + 90 })), data],
    ["a count that is not there", { ...held(data), counts: new Map() }, data],
  ])("sets %s", (_what, view, desired) => {
    expect(compareLimits(view, [desired], true).set).toEqual([expect.objectContaining(desired)]);
  });

  it.each([
    ["another rate", 10, 20],
    ["a rate where there was none", null, 20],
    ["no rate where there was one", 20, null],
  ])("sets %s, and lets the count go on", (_what, seen, wanted) => {
    const at = (rateMbit: number | null) =>
      limit({ quotaBytes: 1000, dataUntil: NOW + 90 }, "one", ["10.66.42.2", "fd66:42::9"], rateMbit);
    expect(compareLimits(held(at(seen)), [at(seen)], true)).toEqual(nothingToDo);
    expect(compareLimits(held(at(seen)), [at(wanted)], false)).toEqual({
      ...nothingToDo,
      set: [{ ...at(wanted), counts: "on" }],
    });
  });

  it("sets a rate that one direction has lost, and takes one away that no session has", () => {
    const at = (rateMbit: number | null) => limit({ timeUntil: NOW + 60 }, "one", ["10.66.42.2"], rateMbit);
    const lost = { ...held(at(10)), rates: new Map([["10.66.42.2", Number.NaN]]) };
    for (const rateMbit of [10, null])
      expect(compareLimits(lost, [at(rateMbit)], true).set).toMatchObject([{ rateMbit }]);
    expect(compareLimits({ ...held(), rates: new Map([["10.66.42.3", 10]]) }, [], true).remove).toEqual([
      { addresses: ["10.66.42.3"], count: undefined },
    ]);
  });

  it("lets a count go on, unless drops have carried it beyond its total", () => {
    const more = limit({ quotaBytes: 5000, dataUntil: NOW + 90 });
    const counted = (bytes: number) => ({
      ...held(data),
      counts: new Map([[name, { totalBytes: 1000, usedBytes: bytes }]]),
    });
    expect(compareLimits(counted(1000), [more], true).set).toMatchObject([{ counts: "on" }]);
    expect(compareLimits(counted(1001), [more], true).set).toMatchObject([
      { counts: "anew", data: { totalBytes: 5000, usedBytes: 1000 } },
    ]);
    expect([...usedBytes(counted(70_000))]).toEqual([[name, 1000]]);
  });

  it("gives nothing more of what is used up, though the book could not be told", () => {
    const usedUp = { ...held(data), counts: new Map([[name, { totalBytes: 1000, usedBytes: 66_536 }]]) };
    expect(compareLimits(usedUp, [data], true)).toEqual(nothingToDo);
  });

  it("removes what no session has", () => {
    const gone = limit({ timeUntil: NOW + 60 }, "two", ["10.66.42.3"]);
    expect(compareLimits(held(time, gone), [time], true).remove).toEqual([
      { addresses: ["10.66.42.3"], count: undefined },
    ]);
    const goneData = limit({ quotaBytes: 9 }, "two", ["10.66.42.3"]);
    expect(compareLimits(held(goneData), [], true).remove).toEqual([
      { addresses: ["10.66.42.3"], count: { name: limitName("two"), goes: true } },
    ]);
    const orphan = { ...held(time), counts: new Map([["other", { totalBytes: 1, usedBytes: 0 }]]) };
    expect(compareLimits(orphan, [time], true).remove).toEqual([
      { addresses: [], count: { name: "other", goes: true } },
    ]);
  });

  it("frees an address from another session's count before it sets it anew", () => {
    const former = limit({ quotaBytes: 9 }, "two");
    const { set, remove } = compareLimits(held(former), [data], true);
    expect(remove).toEqual([{ addresses: ["10.66.42.2"], count: { name: limitName("two"), goes: true } }]);
    expect(set).toMatchObject([{ name }]);
  });

  it("keeps a session's count when only an address leaves it", () => {
    const both = limit({ quotaBytes: 1000, dataUntil: NOW + 90 }, "one", ["10.66.42.2", "fd66:42::9"]);
    expect(compareLimits(held(both), [data], true)).toEqual({
      rebuild: false,
      set: [],
      remove: [{ addresses: ["fd66:42::9"], count: { name, goes: false } }],
    });
  });

  it("leaves ends to the kernel's own clock while ours is in doubt", () => {
    const ended = { ...held(time), time: new Map() };
    expect(compareLimits(ended, [time], false)).toEqual(nothingToDo);
    expect(compareLimits(ended, [time], true).set).toHaveLength(1);
  });
});
