import { pino } from "pino";
import { beforeEach, expect, it } from "vitest";
import type { NostrEvent } from "../protocol/event.ts";
import { createNoteOutbox, type Delivery, type Note, type NoteOutbox } from "./note-outbox.ts";

const TAKEN: Delivery = { acknowledged: 1, asked: 2, isHopeless: false };
const SILENCE: Delivery = { acknowledged: 0, asked: 2, isHopeless: false };
const REFUSED: Delivery = { acknowledged: 0, asked: 2, isHopeless: true };
const HOUR_MS = 3_600_000;

let atMs: number;
let offered: string[];
let answer: (text: string) => Delivery | Error;
let lines: Record<string, unknown>[];
let outbox: NoteOutbox;

const wrap = (content: string): NostrEvent => ({
  id: content,
  pubkey: "",
  sig: "",
  kind: 1059,
  created_at: 1,
  tags: [],
  content,
});

beforeEach(() => {
  atMs = 0;
  offered = [];
  lines = [];
  answer = () => TAKEN;
  outbox = createNoteOutbox({
    carrier: {
      wrap,
      deliver: async ({ content }) => {
        offered.push(content);
        const given = answer(content);
        if (given instanceof Error) throw given;
        return given;
      },
    },
    nowMs: () => atMs,
    logger: pino({ base: null }, { write: (line: string) => void lines.push(JSON.parse(line)) }),
  });
});

const post = (text: string, about: Note["about"] = "trouble") => outbox.post({ about, text });
const events = (name: string) => lines.filter(({ event }) => event === name);

/** As the job does: asks every ten seconds. */
async function runFor(forMs: number): Promise<void> {
  for (const endsAtMs = atMs + forMs; atMs < endsAtMs; atMs += 10_000) await outbox.flush();
}

it("sends notes once, in order, and says that they went, but not what they say", async () => {
  post("first secret");
  post("second secret");
  await outbox.flush();
  await runFor(HOUR_MS);
  expect(offered).toEqual(["first secret", "second secret"]);
  expect(events("notified")).toMatchObject([
    { about: "trouble", relays: 1, of: 2 },
    { about: "trouble", relays: 1, of: 2 },
  ]);
  expect(JSON.stringify(lines)).not.toContain("secret");
});

it("tries again with growing pauses, keeps the order, and says so once", async () => {
  answer = () => SILENCE;
  post("first");
  post("second");
  await runFor(HOUR_MS);
  expect(offered.length).toBeGreaterThan(5);
  expect(offered.length).toBeLessThan(30);
  expect(new Set(offered)).toEqual(new Set(["first"]));
  expect(events("notify-waiting")).toHaveLength(1);
  answer = () => TAKEN;
  offered = [];
  await runFor(HOUR_MS);
  expect(offered).toEqual(["first", "second"]);
  expect(outbox.waiting()).toBe(0);
});

it("outlives a carrier that throws", async () => {
  answer = () => new TypeError("it is broken, and names nsec1secret");
  post("first");
  await runFor(60_000);
  expect(outbox.waiting()).toBe(1);
  expect(JSON.stringify(lines)).not.toContain("nsec1secret");
  answer = () => TAKEN;
  await runFor(HOUR_MS);
  expect(outbox.waiting()).toBe(0);
});

it("lets go of what every relay refuses for good, and goes on with the next", async () => {
  answer = (text) => (text === "too large" ? REFUSED : TAKEN);
  post("too large");
  post("small");
  await outbox.flush();
  expect(events("notify-failed")).toMatchObject([{ why: "every relay refused it" }]);
  expect(outbox.waiting()).toBe(0);
});

it("gives a note up after two days", async () => {
  answer = () => SILENCE;
  post("old");
  await runFor(47 * HOUR_MS);
  post("new");
  await runFor(2 * HOUR_MS);
  answer = () => TAKEN;
  await runFor(HOUR_MS);
  expect(offered.at(-1)).toBe("new");
  expect(events("notify-failed")).toMatchObject([{ why: "no relay took it for two days" }]);
});

it("keeps two hundred, and gives sales up before troubles", async () => {
  post("the trouble");
  for (let n = 0; n < 500; n++) post(`sale ${n}`, "sale");
  expect(outbox.waiting()).toBe(200);
  await outbox.flush();
  expect(offered.slice(0, 2)).toEqual(["the trouble", "sale 301"]);
});

it("sends nothing twice at a time", async () => {
  post("once");
  await Promise.all([outbox.flush(), outbox.flush(), outbox.flush()]);
  expect(offered).toEqual(["once"]);
});

it("sends with what is on its way what is posted meanwhile", async () => {
  post("on its way");
  const sending = outbox.flush();
  post("the last before the end");
  await outbox.flush();
  expect(offered).toEqual(["on its way", "the last before the end"]);
  await sending;
});

it("takes nothing else away when room was made for more while a sale was on its way", async () => {
  post("on its way", "sale");
  const sending = outbox.flush();
  for (let n = 0; n < 200; n++) post(`trouble ${n}`);
  await sending;
  expect(offered).toHaveLength(201);
});
