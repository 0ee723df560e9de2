import pino from "pino";
import { beforeEach, describe, expect, it } from "vitest";
import { createLimitKeeper, type LimitKeeper } from "./limit-keeper.ts";
import { EnforcementError, type LimitChange, type LimitsView, type SessionLimit } from "./ports.ts";

const limit: SessionLimit = {
  name: "one",
  addresses: ["10.66.42.2"],
  time: { leftMs: null },
  data: { leftMs: null, totalBytes: 1000, usedBytes: 0 },
  rateMbit: null,
};

let looks: string[];
let applied: LimitChange[];
let kernel: LimitsView;
let failing: boolean;
let keeper: LimitKeeper;

beforeEach(() => {
  looks = [];
  applied = [];
  failing = false;
  kernel = {
    whole: true,
    time: new Map([["10.66.42.2", null]]),
    data: new Map([["10.66.42.2", { name: "one", leftMs: null }]]),
    counts: new Map([["one", { totalBytes: 1000, usedBytes: 300 }]]),
    rates: new Map(),
    limited: new Set(["10.66.42.2"]),
  };
  const answer = async (what: string) => {
    looks.push(what);
    if (failing) throw new EnforcementError({ code: "no-limits", message: "silent" });
    return kernel;
  };
  const limits = {
    look: () => answer("all"),
    lookAtCounts: () => answer("counts"),
    async apply(change: LimitChange) {
      if (failing) throw new EnforcementError({ code: "no-limits", message: "silent" });
      applied.push(change);
    },
  };
  keeper = createLimitKeeper(limits, pino({ level: "silent" }));
});

/** As a tick does; answers by what it looked at. */
async function tick({ thoroughly = false, sure = true, desired = [limit], foreign = [] as string[] } = {}) {
  looks = [];
  await keeper.look(thoroughly);
  await keeper.bringInLine(() => desired, foreign, sure);
  return looks;
}

describe("a look", () => {
  it("is at everything first, then at counts as long as all is as it was left", async () => {
    expect(await tick()).toEqual(["all"]);
    expect(await tick()).toEqual(["counts"]);
    expect(await tick({ thoroughly: true })).toEqual(["all"]);
    expect(await tick()).toEqual(["counts"]);
  });

  it("says the same of the counts either way", async () => {
    kernel = { ...kernel, counts: new Map([...kernel.counts, ["two", { totalBytes: 9, usedBytes: 11 }]]) };
    const whole = await keeper.look(true);
    await keeper.bringInLine(() => [limit], [], true);
    expect(whole).toEqual(new Map(Object.entries({ one: 300, two: 9 })));
    expect(await keeper.look(false)).toEqual(whole);
  });

  it("is at everything at once when a part of the table is gone, which is built again", async () => {
    await tick();
    applied = [];
    kernel = { ...kernel, whole: false };
    expect(await tick()).toEqual(["counts", "all"]);
    expect(applied).toMatchObject([{ rebuild: true, set: [{ name: "one" }] }]);
  });

  it("at counts alone changes nothing but for foreign peers", async () => {
    await tick();
    applied = [];
    kernel = { ...kernel, limited: new Set() };
    await tick({ foreign: ["10.9.0.0/24"] });
    await tick({ foreign: ["10.9.0.0/24"] });
    expect(applied).toEqual([{ rebuild: false, set: [], remove: [], foreignCidrs: ["10.9.0.0/24"] }]);
    await tick({ thoroughly: true, foreign: ["10.9.0.0/24"] });
    expect(applied[1]).toMatchObject({ set: [{ name: "one" }], foreignCidrs: undefined });
  });
});

describe("the next look is at everything", () => {
  beforeEach(() => tick());
  const failed = async (step: () => Promise<unknown>) => {
    failing = true;
    await step().catch(() => undefined);
    failing = false;
  };

  it.each<[string, () => unknown]>([
    ["a look failed", () => failed(() => tick())],
    ["limits could not be set", () => failed(() => keeper.set([limit]))],
    ["limits could not be taken away", () => failed(() => keeper.release([limit]))],
    ["foreign peers could not be let through", () => failed(() => tick({ foreign: ["10.9.0.0/24"] }))],
    ["ends were left to the kernel", () => tick({ sure: false })],
    ["what was set may be nobody's", () => keeper.mistrust()],
  ])("after %s", async (_what, happened) => {
    await happened();
    expect(await tick()).toEqual(["all"]);
    expect(await tick()).toEqual(["counts"]);
  });

  it("and no other when limits were set and taken away", async () => {
    await keeper.set([limit]);
    await keeper.release([limit]);
    expect(await tick()).toEqual(["counts"]);
  });
});
