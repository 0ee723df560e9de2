import { describe, expect, it } from "vitest";
import { PLANNED_BOUNDARIES, planRound } from "./plan.ts";

const rounds = (seed: number, count: number) =>
  Array.from({ length: count }, (_, index) => planRound(seed, index + 1));

describe("the plan of a chaos", () => {
  it("is the same for the same seed, and another for another", () => {
    expect(rounds(7, 20)).toEqual(rounds(7, 20));
    expect(rounds(7, 20)).not.toEqual(rounds(8, 20));
  });

  it("does not depend on the rounds before", () => {
    expect(planRound(7, 20)).toEqual(rounds(7, 20)[19]);
  });

  it("kills at every boundary within 60 rounds", () => {
    const names = rounds(2, 60).flatMap(({ kill }) => (kill.kind === "at-boundary" ? kill.name : []));
    expect(new Set(names)).toEqual(new Set(PLANNED_BOUNDARIES));
  });

  it("comes to everything that buyers, mint and relays may do", () => {
    const plans = rounds(1, 1000);
    const whens = plans.flatMap(({ kill }) => (kill.kind === "at-random" ? kill.after : []));
    expect(new Set(whens)).toEqual(new Set(["start", "listening", "calm"]));
    const kinds = plans.flatMap(({ actions }) => actions.map(({ kind }) => kind));
    expect([...new Set(kinds)].sort()).toEqual(
      ["buy", "move", "overlap", "pending", "renew", "repeat", "spent-elsewhere", "two-keys"].sort(),
    );
    const faults = plans.flatMap(({ swapFaults }) => swapFaults.map((fault) => fault?.kind));
    expect(new Set(faults)).toEqual(
      new Set([undefined, "stall", "late", "drop-before", "drop-after", "status", "garbage", "pending"]),
    );
    expect(new Set(plans.flatMap(({ relays }) => relays))).toEqual(
      new Set(["well", "refuses", "hangs", "mute", "down", "away"]),
    );
  });

  it("leaves one relay at each start", () => {
    for (const { relays } of rounds(3, 1000)) {
      expect(relays.filter((relay) => relay !== "away").length).toBeGreaterThan(0);
    }
  });

  it("gives every token at least one unit of its tier", () => {
    for (const { actions } of rounds(5, 200)) {
      for (const action of actions) {
        if ("token" in action) expect(action.token.faceSat).toBeGreaterThanOrEqual(action.token.tier.amount);
      }
    }
  });
});
