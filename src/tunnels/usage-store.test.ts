import { afterEach, beforeEach, expect, it } from "vitest";
import { newKey, openSessionBook, type SessionBook } from "../testing/session-book.ts";
import { limitName } from "./limits.ts";

const NOW = 1_800_000_000;
const key = newKey();
let open: SessionBook;
let id: string;

beforeEach(async () => {
  open = await openSessionBook();
  id = open.granted(key, { seconds: 0, bytes: 100_000 }, NOW);
});
afterEach(() => open.close());

const byKernel = (bytes: number) => new Map([[limitName(id), bytes]]);
const used = () => open.store.find(id)?.terms.usedBytes;

function look(receivedBytes: number, kernelCounts: ReadonlyMap<string, number>): void {
  const peers = new Map([[key, { publicKey: key, receivedBytes, sentBytes: 0 }]]);
  open.store.count({ peers, kernelCounts }, NOW, NOW, new Set([key]));
}

it("what a renewal charged by the kernel's count, a look without that count does not charge again", () => {
  look(100, byKernel(100));
  open.store.countOf(new Set([key]), byKernel(900), NOW);
  open.store.countOf(new Set([key]), byKernel(900), NOW);
  look(950, new Map());
  expect(used()).toBe(950);
  look(1000, new Map());
  expect(used()).toBe(1000);
});

it("what the kernel counted is in the counters that were kept since, and no more to be taken off", () => {
  open.store.countOf(new Set([key]), byKernel(900), NOW);
  look(900, byKernel(900));
  look(1000, new Map());
  expect(used()).toBe(1000);
});

it("a peer that was put back counts from zero", () => {
  open.store.countOf(new Set([key]), byKernel(900), NOW);
  open.store.countersRestarted([key]);
  look(50, new Map());
  expect(used()).toBe(950);
});
