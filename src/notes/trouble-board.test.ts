import { beforeEach, describe, expect, it } from "vitest";
import { createTroubleBoard, type FoundTrouble, type Trouble, type TroubleBoard } from "./trouble-board.ts";

const HOUR = 3_600;
const disk: FoundTrouble = { name: "database", words: "the disk is full", event: "database-trouble" };
const relay: FoundTrouble = { name: "relay wss://r.example", words: "it is down", event: "trouble" };

let seconds: number;
let board: TroubleBoard;
const clocks = { now: () => 1_800_000_000 + seconds, nowMs: () => 5_000 + seconds * 1000 };

beforeEach(() => {
  seconds = 0;
  board = createTroubleBoard(clocks);
});

/** Looks every second for so long, and answers by what was told. */
function lookFor(forSeconds: number, troubles: FoundTrouble[], unknown: string[] = []) {
  const told = [];
  for (let n = 0; n < forSeconds; n++) {
    seconds++;
    told.push(...board.look({ troubles, unknown }));
  }
  return told;
}

const kinds = (notes: { kind: string }[]) => notes.map(({ kind }) => kind);

describe("a trouble", () => {
  it("is told once however often it is looked at, and once again when it is over", () => {
    const [told, ...more] = lookFor(500, [disk]);
    expect(more).toEqual([]);
    expect(told).toEqual({ kind: "trouble", trouble: { ...disk, since: 1_800_000_001 } });
    expect(lookFor(500, [])).toEqual([
      { kind: "well", former: { ...disk, since: 1_800_000_001 }, at: 1_800_000_521 },
    ]);
    expect(lookFor(500, [])).toEqual([]);
  });

  it("is not told while it has not held, nor a wellness that does not", () => {
    expect(lookFor(19, [disk])).toEqual([]);
    expect(lookFor(100, [])).toEqual([]);
    expect(kinds(lookFor(60, [disk]))).toEqual(["trouble"]);
    expect(lookFor(19, [])).toEqual([]);
    expect(lookFor(100, [disk])).toEqual([]);
    expect(board.troubles()).toHaveLength(1);
  });

  it("does not wait for another", () => {
    expect(kinds(lookFor(30, [disk]))).toEqual(["trouble"]);
    expect(lookFor(30, [disk, relay])).toMatchObject([{ trouble: { name: relay.name } }]);
    expect(board.troubles().map(({ name }) => name)).toEqual([disk.name, relay.name]);
    expect(lookFor(30, [relay])).toMatchObject([{ kind: "well", former: { name: disk.name } }]);
  });

  it("stays as it was while nothing can be said of it", () => {
    lookFor(30, [disk]);
    expect(lookFor(500, [], [disk.name])).toEqual([]);
    expect(board.troubles()).toHaveLength(1);
  });

  it("has the latest words, and since when it lasts", () => {
    lookFor(30, [disk]);
    lookFor(30, [{ ...disk, words: "the disk is gone" }]);
    expect(board.troubles()).toEqual([{ ...disk, words: "the disk is gone", since: 1_800_000_001 }]);
  });

  it("that comes back later began anew", () => {
    lookFor(30, [disk]);
    lookFor(30, []);
    expect(lookFor(30, [disk])).toMatchObject([{ kind: "trouble", trouble: { since: 1_800_000_061 } }]);
  });
});

describe("what comes and goes", () => {
  it("is told four times an hour at most, then summed up with what it is at last", () => {
    const told = [];
    for (let n = 0; n < 30; n++) told.push(...lookFor(30, [relay]), ...lookFor(30, []));
    expect(kinds(told)).toEqual(["trouble", "well", "trouble", "well"]);
    const later = lookFor(2 * HOUR, []);
    expect(later).toEqual([{ kind: "unsteady", name: relay.name, changes: 56, now: undefined }]);
    expect(lookFor(HOUR, [relay])).toMatchObject([{ kind: "trouble" }]);
  });

  it("goes on being bounded, hour after hour", () => {
    const told = [];
    for (let n = 0; n < 600; n++) told.push(...lookFor(30, [relay]), ...lookFor(30, []));
    expect(told.length).toBeLessThanOrEqual(10 * 4 + 4);
  });

  it("and stays is said to be there", () => {
    for (let n = 0; n < 10; n++) {
      lookFor(30, []);
      lookFor(30, [relay]);
    }
    expect(lookFor(HOUR, [relay])).toMatchObject([
      { kind: "unsteady", changes: 15, now: { name: relay.name } },
    ]);
  });
});

describe("after a restart", () => {
  const told: Trouble[] = [{ ...disk, since: 1_799_000_000 }];
  beforeEach(() => {
    board = createTroubleBoard({ ...clocks, told });
  });

  it("what was told and is still there is not told again", () => {
    expect(lookFor(500, [disk])).toEqual([]);
    expect(board.troubles()).toEqual(told);
  });

  it("what was mended meanwhile is told as over", () => {
    expect(lookFor(500, [])).toMatchObject([{ kind: "well", former: told[0] }]);
    expect(board.troubles()).toEqual([]);
  });
});
