import { afterEach, beforeEach, expect, it } from "vitest";
import { newKey, openSessionBook, type SessionBook } from "../testing/session-book.ts";
import { EnforcementError } from "../tunnels/ports.ts";
import { createInMemoryEnforcement } from "../wireguard/in-memory.ts";
import { viewTunnels } from "./tunnel-view.ts";

const HOUR = { seconds: 3600, bytes: 0 };
let book: SessionBook;
const enforcement = createInMemoryEnforcement(newKey());

beforeEach(async () => {
  book = await openSessionBook();
});
afterEach(() => book.close());

it("a peer that lacks is looked for again after a tick, and named by its session when it stays away", async () => {
  const [up, away] = [newKey(), newKey()];
  book.granted(up, HOUR, 1000);
  const lost = book.granted(away, HOUR, 1000);
  const putUp = (keys: string[]) => async () => {
    const set = book.store.desiredPeers().filter(({ publicKey }) => keys.includes(publicKey));
    await enforcement.apply({ set, remove: [] });
  };
  let ticks = 0;
  const tick = async () => {
    ticks += 1;
    await putUp([up])();
  };
  expect(await viewTunnels(enforcement, book.store, { tick })).toEqual({ live: 2, without: [lost] });
  expect(ticks).toBe(1);
  expect(await viewTunnels(enforcement, book.store, { tick: putUp([up, away]) })).toEqual({
    live: 2,
    without: [],
  });
  expect(await viewTunnels(enforcement, book.store, { tick })).toEqual({ live: 2, without: [] });
  expect(ticks).toBe(1);
});

it("an interface that does not answer makes it unknown, not wrong", async () => {
  book.granted(newKey(), HOUR, 1000);
  const look = () => Promise.reject(new EnforcementError({ code: "no-interface", message: "it is gone" }));
  const tick = () => Promise.resolve();
  expect(await viewTunnels({ look }, book.store, { tick })).toEqual({ live: 1, without: "unknown" });
});
