import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SwapFault } from "../testing/fake-mint-port.ts";
import { type CrashPoint, createWorld, reasonOf, type World } from "../testing/sales-world.ts";
import type { RefundAnswer } from "./refund-messages.ts";

const FACE_SAT = 200;
const FEE_SAT = 2;

let world: World;

beforeEach(async () => {
  world = await createWorld();
  world.mint.setFeeSat(FEE_SAT);
});
afterEach(async () => {
  expect(world.mint.violations).toEqual([]);
  await world.close();
});

const issue = () => world.mint.issue([128, 64, 8]);
const refund = (token: string, to?: string) => world.run.refunds.refund(token, to);

async function refunded(token: string): Promise<Extract<RefundAnswer, { kind: "refunded" }>> {
  const answer = await refund(token);
  if (answer.kind !== "refunded") throw new Error(`${answer.kind}: ${answer.message}`);
  return answer;
}

function satIn(token: string | null): number {
  return world.mint.reader.decode(String(token)).faceSat;
}

/** The mint signed for this token once, and all of it is in the token that went out. */
function expectConserved({
  token,
  faceSat,
  feeSat,
  givenSat,
}: Extract<RefundAnswer, { kind: "refunded" }>): void {
  expect({ faceSat, feeSat, givenSat }).toEqual({
    faceSat: FACE_SAT,
    feeSat: FEE_SAT,
    givenSat: FACE_SAT - FEE_SAT,
  });
  expect(satIn(token)).toBe(givenSat);
  expect(world.mint.signedSat()).toBe(givenSat);
}

async function untilSettled(token: string): Promise<Extract<RefundAnswer, { kind: "refunded" }>> {
  for (let rounds = 0; rounds < 10; rounds++) {
    world.pass(120);
    await world.run.refunds.sweep();
    const answer = await refund(token);
    if (answer.kind === "refunded") return answer;
  }
  throw new Error("it does not come to rest");
}

it("gives a token back less the mint's fee, and the same one again however often it is asked", async () => {
  const token = issue();
  const first = await refunded(token);
  expectConserved(first);
  expect(world.all("SELECT journal FROM refunds")).toEqual([{ journal: null }]);
  expect(await refunded(token)).toEqual(first);
  await world.restart();
  expect(await refunded(token)).toEqual(first);
  expect(world.mint.calls.swap).toBe(1);
});

it("asked at once many times, it is swapped once", async () => {
  const token = issue();
  const answers = await Promise.all(Array.from({ length: 8 }, () => refunded(token)));
  expect(new Set(answers.map((answer) => answer.token)).size).toBe(1);
  expectConserved(await refunded(token));
});

describe("sold or given back, never both", () => {
  it("a granted sale's token is not given back", async () => {
    const token = issue();
    await world.buy(world.buyer(), token);
    expect(await refund(token)).toMatchObject({
      kind: "refused",
      message: expect.stringMatching(/paid for a tunnel/),
    });
  });

  it("and the book holds to that by itself", async () => {
    await world.buy(world.buyer(), issue());
    const [input] = world.all<{ mint_key: string; y: string }>("SELECT * FROM sale_inputs");
    const write = world.run.book.prepare(
      "INSERT INTO refund_inputs (mint_key, y, refund_id) VALUES (?, ?, 'x')",
    );
    expect(() => write.run(input?.mint_key, input?.y)).toThrow(/a sale claims/);
  });

  it("nor an open sale's", async () => {
    const token = issue();
    world.settings.answerWithinMs = 50;
    world.mint.script("swap", "silence");
    await reasonOf(world.buy(world.buyer(), token));
    expect(await refund(token)).toMatchObject({
      kind: "refused",
      message: expect.stringMatching(/not settled/),
    });
    expect(await refund(world.mint.mix([{ of: token, from: 0, to: 1 }]))).toMatchObject({ kind: "refused" });
  });

  it("what was given back, whole or in part, or is being, buys nothing", async () => {
    const token = issue();
    const open = issue();
    await refunded(token);
    world.mint.script("swap", "silence");
    expect((await refund(open)).kind).toBe("open");
    for (const brought of [token, open, world.mint.mix([{ of: token, from: 0, to: 1 }])]) {
      expect(await reasonOf(world.buy(world.buyer(), brought))).toBe("double-spent");
    }
    expect(world.all("SELECT * FROM sales")).toEqual([]);
  });

  it("a purchase and a refund at once: one of them has it", async () => {
    for (let times = 0; times < 5; times++) {
      const token = issue();
      const [bought, back] = await Promise.all([reasonOf(world.buy(world.buyer(), token)), refund(token)]);
      expect([bought === "served", back.kind === "refunded"].filter(Boolean)).toHaveLength(1);
    }
  });

  it("what is sold while its refund is prepared is not given back", async () => {
    const token = issue();
    world.mint.script("prepareSwap", "stall");
    const back = refund(token);
    await expect.poll(() => world.mint.calls.prepareSwap).toBe(1);
    await world.buy(world.buyer(), token);
    world.mint.unstall();
    expect(await back).toMatchObject({
      kind: "refused",
      message: expect.stringMatching(/paid for a tunnel/),
    });
  });

  it("a refused buyer's token is given back, and the book holds both to it by itself", async () => {
    const token = issue();
    world.settings.closed = "paused";
    expect(await reasonOf(world.buy(world.buyer(), token))).toBe("tunnel-unavailable");
    await refunded(token);
    const [input] = world.all<{ mint_key: string; y: string }>("SELECT * FROM refund_inputs");
    const write = world.run.book.prepare("INSERT INTO sale_inputs (mint_key, y, sale_id) VALUES (?, ?, 'x')");
    expect(() => write.run(input?.mint_key, input?.y)).toThrow(/a refund claims/);
  });
});

describe("what is not given back", () => {
  it("tokens that are not locked, of no mint of ours, or spent", async () => {
    const spent = issue();
    world.mint.spend(spent);
    const tokens = [
      world.mint.issue([64], { locked: false }),
      world.mint.issue([64], { mint: "https://other" }),
      spent,
    ];
    for (const token of [...tokens, "no token"]) expect((await refund(token)).kind).toBe("refused");
    expect(world.mint.signedSat()).toBe(0);
    expect(world.all("SELECT * FROM refund_inputs")).toEqual([]);
  });

  it("otherwise locked than before", async () => {
    const token = issue();
    await refunded(token);
    expect(await refund(token, `02${"ab".repeat(32)}`)).toMatchObject({ kind: "refused" });
  });

  it("what the mint refuses is free again", async () => {
    const token = issue();
    world.mint.script("swap", { refused: 12002 });
    expect((await refund(token)).kind).toBe("refused");
    await world.buy(world.buyer(), token);
  });
});

describe("an answer that is lost", () => {
  it.each<[SwapFault]>([["silence"], ["acts-then-silence"], ["lands-late"], ["pending"]])(
    "%s",
    async (fault) => {
      const token = issue();
      world.mint.script("swap", fault);
      world.mint.script("restore", "silence");
      const answer = await refund(token);
      expect(["open", "refunded"]).toContain(answer.kind);
      world.mint.heal();
      expectConserved(await untilSettled(token));
    },
  );
});

describe("a process that dies", () => {
  const points: CrashPoint[] = (["open", "refunded"] as const).flatMap((verb) => [
    { verb, when: "before" },
    { verb, when: "after" },
  ]);

  it.each(points)("$when $verb", async (point) => {
    const token = issue();
    world.crashAt(point);
    await refund(token).catch(() => undefined);
    expect(world.isDead()).toBe(true);
    await world.restart();
    await world.run.refunds.sweep();
    expectConserved(await untilSettled(token));
    expect(await reasonOf(world.buy(world.buyer(), token))).toBe("double-spent");
  });

  it.each<[SwapFault]>([["caller-dies-before"], ["caller-dies-after"]])("%s", async (fault) => {
    const token = issue();
    world.mint.script("swap", fault);
    void refund(token).catch(() => undefined);
    await expect.poll(() => world.mint.calls.swap).toBe(1);
    await world.restart();
    expectConserved(await untilSettled(token));
  });
});

it("after a restart an empty restore is not believed at once: the mint may still be writing", async () => {
  const token = issue();
  world.mint.script("swap", "caller-dies-after");
  void refund(token).catch(() => undefined);
  await expect.poll(() => world.mint.calls.swap).toBe(1);
  await world.restart();
  world.mint.script("restore", "empty");
  await world.run.refunds.sweep();
  expectConserved(await untilSettled(token));
});

it("a mint that answers wrongly: what is good goes out, the loss is booked, the mint shut off", async () => {
  world.mint.script("swap", "flawed");
  const answer = await refunded(issue());
  expect(answer.givenSat).toBeLessThan(FACE_SAT - FEE_SAT);
  expect(satIn(answer.token)).toBe(answer.givenSat);
  expect(world.mint.shutOffReason()).toBeDefined();
  expect(world.all("SELECT journal IS NOT NULL AS isKept FROM refunds")).toEqual([{ isKept: 1 }]);
});
