import { describe, expect, it } from "vitest";
import { BOUNDARIES } from "../../boundary.ts";
import { planRound } from "./plan.ts";
import { planNode } from "./plan-node.ts";

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

  it("kills at every boundary within 64 rounds", () => {
    const names = rounds(2, 64).flatMap(({ kill }) => (kill.kind === "at-boundary" ? kill.name : []));
    expect(new Set(names)).toEqual(new Set(BOUNDARIES));
  });

  it("comes to everything that buyers, mint and relays may do", () => {
    const plans = rounds(1, 1000);
    const whens = plans.flatMap(({ kill }) => (kill.kind === "at-random" ? kill.after : []));
    expect(new Set(whens)).toEqual(new Set(["start", "listening", "calm"]));
    const kinds = plans.flatMap(({ actions }) => actions.map(({ kind }) => kind));
    expect([...new Set(kinds)].sort()).toEqual(
      [
        "buy",
        "invoices",
        "move",
        "overlap",
        "pending",
        "renew",
        "repeat",
        "spent-elsewhere",
        "two-keys",
      ].sort(),
    );
    const faults = plans.flatMap(({ swapFaults }) => swapFaults.map((fault) => fault?.kind));
    expect(new Set(faults)).toEqual(
      new Set([undefined, "stall", "late", "drop-before", "drop-after", "status", "garbage", "pending"]),
    );
    expect(new Set(plans.flatMap(({ relays }) => relays))).toEqual(
      new Set(["well", "refuses", "hangs", "mute", "down", "away"]),
    );
  });

  it("comes to everything that payers and Lightning nodes may do", () => {
    const plans = rounds(1, 1000);
    const invoices = plans.flatMap(({ actions }) =>
      actions.flatMap((action) => (action.kind === "invoices" ? [action.invoices] : [])),
    );
    expect(new Set(invoices.map(({ length }) => length))).toEqual(new Set([1, 2, 3]));
    const pays = invoices.flat().map((invoice) => invoice.pays);
    expect(new Set(pays.map(({ when }) => when))).toEqual(
      new Set(["never", "at-once", "daemon-dead", "later"]),
    );
    const details = pays.flatMap((pay) => (pay.when === "never" ? [] : [pay]));
    for (const happens of ["overpaidSat", "keptSat", "isMissed", "toldAgainAfterMs"] as const) {
      expect(new Set(details.map((pay) => Boolean(pay[happens])))).toEqual(new Set([true, false]));
    }
    const faults = plans.flatMap(({ node }) => [...node.faults.make, ...node.faults.follow]);
    expect(new Set(faults)).toEqual(
      new Set([undefined, "stall", "drop-before", "drop-after", "error-500", "garbage"]),
    );
    expect(new Set(plans.map(({ node }) => node.standing))).toEqual(new Set(["well", "down", "away"]));
    expect(plans.some(({ node }) => node.breaksAfterMs !== undefined)).toBe(true);
  });

  it("has nodes of both kinds, with every way to hear of payments shut in some", () => {
    const nodes = Array.from({ length: 50 }, (_, seed) => planNode(seed));
    expect(planNode(7)).toEqual(planNode(7));
    expect(new Set(nodes.map(({ kind }) => kind))).toEqual(new Set(["phoenixd", "lnd"]));
    expect(new Set(nodes.map(({ deaf }) => deaf))).toEqual(new Set([undefined, "follow", "look-up"]));
    expect(new Set(nodes.map(({ clockSlowness }) => clockSlowness))).toEqual(new Set([1, 3]));
  });

  it("begins a round that is after a Lightning boundary with an invoice, and with a node that lets it come so far", () => {
    for (const { kill, actions, node } of rounds(4, 640)) {
      if (kill.kind !== "at-boundary" || !/invoice|payment|lapsed/.test(kill.name)) continue;
      expect(actions[0]).toMatchObject({ kind: "invoices", atMs: 0 });
      expect(node.standing).toBe("well");
      if (kill.name !== "within-lapsed") expect(node.faults.make).toEqual([]);
    }
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
