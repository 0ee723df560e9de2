import { beforeEach, expect, it } from "vitest";
import { createHandshakeWatch, type HandshakeWatch } from "./handshake-watch.ts";

let seconds: number;
let watch: HandshakeWatch;
let handshakes: Map<string, number>;

beforeEach(() => {
  seconds = 1_800_000_000;
  handshakes = new Map();
  watch = createHandshakeWatch(() => seconds);
});

const look = () => watch.look((sessionId) => handshakes.get(sessionId));

/** Sold, up on the interface, and not heard of for 15 minutes. */
function silent(...sessionIds: string[]): void {
  for (const sessionId of sessionIds) {
    watch.granted(sessionId);
    handshakes.set(sessionId, 0);
  }
  seconds += 900;
  look();
}

it("needs three in a row that never shook hands, each for 15 minutes", () => {
  silent("a", "b");
  expect(watch.isClosed()).toBeUndefined();
  watch.granted("c");
  handshakes.set("c", 0);
  seconds += 899;
  look();
  expect(watch.isClosed()).toBeUndefined();
  seconds += 1;
  look();
  expect(watch.isClosed()).toBe(true);
});

it("begins anew with each tunnel that comes up", () => {
  silent("a", "b");
  watch.granted("c");
  handshakes.set("c", seconds);
  look();
  expect(watch.isClosed()).toBe(false);
  silent("d", "e");
  expect(watch.isClosed()).toBe(false);
});

it("is over as soon as one of the silent is heard of", () => {
  silent("a", "b", "c");
  expect(watch.watched()).toEqual(["a", "b", "c"]);
  handshakes.set("b", seconds + 5);
  look();
  expect(watch.isClosed()).toBe(false);
});

it("does not count renewals of tunnels that were up before, nor peers that are gone", () => {
  for (const sessionId of ["a", "b", "c"]) {
    watch.granted(sessionId);
    handshakes.set(sessionId, seconds - 10_000);
  }
  for (const sessionId of ["d", "e", "f"]) watch.granted(sessionId);
  seconds += 900;
  look();
  expect(watch.isClosed()).toBeUndefined();
  expect(watch.watched()).toEqual([]);
});

it("does not blame the port for an interface that was down", () => {
  silent("a", "b");
  watch.granted("c");
  watch.forgive();
  seconds += 900;
  look();
  expect(watch.isClosed()).toBeUndefined();
  silent("d");
  expect(watch.isClosed()).toBe(true);
});

it("watches a thousand at most", () => {
  for (let n = 0; n < 1_500; n++) watch.granted(`session-${n}`);
  expect(watch.watched()).toHaveLength(1_000);
  expect(watch.watched()).not.toContain("session-0");
});
