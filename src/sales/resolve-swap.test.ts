import { describe, expect, it } from "vitest";
import type { InputState, MintLink, OwnedProof, RestoreOutcome, SwapJournal, SwapOutcome } from "./ports.ts";
import { type Doubt, resolveSwap } from "./resolve-swap.ts";

const SETTLE_MS = 60_000;
const NOW_MS = 1_000_000;

const journal: SwapJournal = {
  version: 1,
  mintUrl: "https://m.test",
  body: "{}",
  outputs: [],
  inputYs: ["y"],
  feeSat: 0,
};

function proof(y: string): OwnedProof {
  return { y, mintUrl: "https://m.test", keysetId: "k", amountSat: 1, secret: `s${y}`, C: "c" };
}

const answers = {
  signed: { kind: "signed", proofs: [proof("answer")] },
  flawed: { kind: "flawed", proofs: [proof("answer")], detail: "wrong count" },
  "refused token": { kind: "refused", code: 11001 },
  "refused keyset": { kind: "refused", code: 12002 },
  silence: { kind: "ambiguous", why: "no answer" },
} satisfies Record<string, SwapOutcome>;

const restores = {
  signed: { kind: "signed", proofs: [proof("restored")] },
  flawed: { kind: "flawed", proofs: [proof("restored")], detail: "a part" },
  empty: { kind: "empty" },
  unknown: { kind: "unknown", why: "no answer" },
} satisfies Record<string, RestoreOutcome>;

const inputStates: InputState[] = ["UNSPENT", "PENDING", "SPENT", "unknown"];

/** `no`: the first request ever. Recent: sent less than the settle time ago. Spent recently, long ago: seen so before. */
const doubts = {
  no: { ambiguousAtMs: undefined, foundSpentAtMs: undefined },
  recent: { ambiguousAtMs: NOW_MS - 1_000, foundSpentAtMs: undefined },
  old: { ambiguousAtMs: NOW_MS - SETTLE_MS, foundSpentAtMs: undefined },
  "spent recently": { ambiguousAtMs: NOW_MS - SETTLE_MS, foundSpentAtMs: NOW_MS - SETTLE_MS + 1 },
  "spent long ago": { ambiguousAtMs: NOW_MS - 2 * SETTLE_MS, foundSpentAtMs: NOW_MS - SETTLE_MS },
} satisfies Record<string, Doubt>;

interface Case {
  doubt: keyof typeof doubts;
  restore: keyof typeof restores;
  inputs: InputState;
  answer: keyof typeof answers;
}

interface Row {
  when: { [K in keyof Case]?: Case[K][] };
  expected: string;
  sent: boolean;
}

const inDoubt: Case["doubt"][] = ["recent", "old", "spent recently", "spent long ago"];
const refused: Case["answer"][] = ["refused token", "refused keyset"];

/** First row that fits counts. With doubt the mint is looked at before anything is sent. */
const table: Row[] = [
  { when: { doubt: inDoubt, restore: ["signed"] }, expected: "paid", sent: false },
  {
    when: { doubt: inDoubt, restore: ["flawed"], inputs: ["SPENT"] },
    expected: "paid with a flaw",
    sent: false,
  },
  { when: { doubt: inDoubt, inputs: ["PENDING", "unknown"] }, expected: "open", sent: false },
  { when: { doubt: inDoubt, inputs: ["SPENT"], restore: ["unknown"] }, expected: "open", sent: false },
  { when: { doubt: ["spent long ago"], inputs: ["SPENT"] }, expected: "double-spent", sent: false },
  { when: { doubt: inDoubt, inputs: ["SPENT"] }, expected: "open", sent: false },
  { when: { answer: ["signed"] }, expected: "paid", sent: true },
  { when: { answer: ["flawed"] }, expected: "paid with a flaw", sent: true },
  { when: { restore: ["signed"] }, expected: "paid", sent: true },
  { when: { restore: ["flawed"], inputs: ["SPENT"] }, expected: "paid with a flaw", sent: true },
  { when: { restore: ["flawed"] }, expected: "open", sent: true },
  { when: { restore: ["unknown"] }, expected: "open", sent: true },
  { when: { inputs: ["PENDING", "unknown"] }, expected: "open", sent: true },
  { when: { answer: ["silence"] }, expected: "open", sent: true },
  { when: { answer: refused, inputs: ["SPENT"] }, expected: "double-spent", sent: true },
  { when: { doubt: ["recent"], answer: refused }, expected: "open", sent: true },
  { when: { answer: ["refused token"] }, expected: "invalid-token", sent: true },
  { when: { answer: ["refused keyset"] }, expected: "renew", sent: true },
];

function fits(row: Row, given: Case): boolean {
  const { doubt, restore, inputs, answer } = row.when;
  return (
    (doubt?.includes(given.doubt) ?? true) &&
    (restore?.includes(given.restore) ?? true) &&
    (inputs?.includes(given.inputs) ?? true) &&
    (answer?.includes(given.answer) ?? true)
  );
}

function keys<K extends string>(record: Record<K, unknown>): K[] {
  return Object.keys(record) as K[];
}

const cases: Case[] = keys(doubts).flatMap((doubt) =>
  keys(restores).flatMap((restore) =>
    inputStates.flatMap((inputs) => keys(answers).map((answer) => ({ doubt, restore, inputs, answer }))),
  ),
);

function linkOf(swap: SwapOutcome[], restore: RestoreOutcome[], inputs: InputState[]) {
  const sent: SwapJournal[] = [];
  const last = <T>(all: T[]): T => {
    const next = all.length > 1 ? all.shift() : all[0];
    if (next === undefined) throw new Error("the script has no answer");
    return next;
  };
  const link: MintLink = {
    swap: async (given) => {
      sent.push(given);
      return last(swap);
    },
    restore: async () => last(restore),
    inputState: async () => last(inputs),
  };
  return { link, sent };
}

const options = { settleMs: SETTLE_MS, nowMs: () => NOW_MS };

async function resolved(link: MintLink, doubt: Doubt): Promise<string> {
  const resolution = await resolveSwap(link, [journal], doubt, options);
  if (resolution.kind === "paid") return resolution.flaw === undefined ? "paid" : "paid with a flaw";
  return resolution.kind === "released" ? resolution.reason : resolution.kind;
}

describe("resolveSwap", () => {
  it.each(cases)("doubt $doubt, restore $restore, inputs $inputs, answer $answer", async (given) => {
    const row = table.find((candidate) => fits(candidate, given));
    const { link, sent } = linkOf([answers[given.answer]], [restores[given.restore]], [given.inputs]);
    expect(await resolved(link, { ...doubts[given.doubt] })).toBe(row?.expected);
    expect(sent).toHaveLength(row?.sent ? 1 : 0);
  });

  it("uses every row of its table", () => {
    for (const row of table) expect(cases.filter((given) => fits(row, given))).not.toHaveLength(0);
  });

  it("calls a token double-spent only when the mint says so twice, a settle time apart, after a silence", async () => {
    const { link } = linkOf([answers.silence], [restores.empty], ["SPENT"]);
    const doubt: Doubt = { ...doubts.no };
    let nowMs = NOW_MS;
    const round = async () =>
      (await resolveSwap(link, [journal], doubt, { settleMs: SETTLE_MS, nowMs: () => nowMs })).kind;
    expect(await round()).toBe("open");
    nowMs += SETTLE_MS - 1;
    expect(await round()).toBe("open");
    nowMs += 1;
    expect(await round()).toBe("released");
  });

  it("begins to wait anew when the inputs turn out unspent in between", async () => {
    const { link } = linkOf([answers.silence], [restores.empty], ["SPENT", "UNSPENT", "SPENT"]);
    const doubt: Doubt = { ...doubts.no };
    let nowMs = NOW_MS;
    const round = async () =>
      (await resolveSwap(link, [journal], doubt, { settleMs: SETTLE_MS, nowMs: () => nowMs })).kind;
    expect(await round()).toBe("open");
    nowMs += SETTLE_MS;
    // UNSPENT: the same bytes are sent again, without an answer, and the inputs are SPENT then.
    expect(await round()).toBe("open");
    expect(await round()).toBe("open");
    nowMs += SETTLE_MS;
    expect(await round()).toBe("released");
  });

  it("sends the newest attempt, and restores the outputs of all", async () => {
    const newest = { ...journal, body: "newest" };
    const asked: number[] = [];
    const { link, sent } = linkOf([answers.silence], [restores.empty], ["UNSPENT"]);
    const watched = {
      ...link,
      restore: async (all: SwapJournal[]) => {
        asked.push(all.length);
        return restores.empty;
      },
    };
    await resolveSwap(watched, [journal, newest], { ...doubts.no }, options);
    expect(sent).toEqual([newest]);
    expect(asked).toEqual([2]);
  });

  it("asks a second time before it takes a part for the whole", async () => {
    const { link } = linkOf([answers.silence], [restores.flawed, restores.signed], ["UNSPENT"]);
    expect(await resolved(link, { ...doubts.no })).toBe("paid");
  });

  it("takes what the restore adds to a wrong answer, and still calls the answer wrong", async () => {
    const { link } = linkOf([answers.flawed], [restores.signed], ["SPENT"]);
    const resolution = await resolveSwap(link, [journal], { ...doubts.no }, options);
    expect(resolution).toEqual({
      kind: "paid",
      proofs: [proof("answer"), proof("restored")],
      flaw: "wrong count",
    });
  });

  it("remembers when a request was left without an answer", async () => {
    const doubt: Doubt = { ...doubts.no };
    await resolveSwap(
      linkOf([answers.silence], [restores.empty], ["UNSPENT"]).link,
      [journal],
      doubt,
      options,
    );
    expect(doubt.ambiguousAtMs).toBe(NOW_MS);
    const certain: Doubt = { ...doubts.no };
    const { link } = linkOf([answers["refused token"]], [restores.unknown], ["UNSPENT"]);
    await resolveSwap(link, [journal], certain, options);
    expect(certain.ambiguousAtMs).toBeUndefined();
  });

  it("throws without a journal: there is nothing that could be settled", async () => {
    const { link } = linkOf([], [], []);
    await expect(resolveSwap(link, [], { ...doubts.no }, options)).rejects.toThrow("journal");
  });
});
