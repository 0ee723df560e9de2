import { finalizeEvent, generateSecretKey, getPublicKey } from "nostr-tools/pure";
import { expect, it } from "vitest";
import type { NostrEvent } from "../protocol/event.ts";
import type { RelayAnswer } from "./relay-answer.ts";
import { retireFormerListing } from "./retire-listing.ts";

const secretKey = generateSecretKey();
const pubkeyHex = getPublicKey(secretKey);

function start(facts: Map<string, string>, dTag: string, answer: RelayAnswer["kind"]) {
  const sent: NostrEvent[] = [];
  const done = retireFormerListing({
    pubkeyHex,
    dTag,
    now: 1_800_000_000,
    sign: (template) => finalizeEvent(template, secretKey),
    facts: { get: (name) => facts.get(name), set: (name, value) => void facts.set(name, value) },
    relays: {
      publish: async (event) => {
        sent.push(event);
        const url = "ws://relay.test/";
        return [answer === "acknowledged" ? { url, kind: answer } : { url, kind: "no-answer", why: "mute" }];
      },
    },
  });
  return done.then(() => sent);
}

it("deletes the former listing once, by its coordinate", async () => {
  const facts = new Map<string, string>();
  expect(await start(facts, "old", "acknowledged")).toEqual([]);
  const [deletion] = await start(facts, "new", "acknowledged");
  expect(deletion).toMatchObject({
    kind: 5,
    tags: [
      ["a", `30402:${pubkeyHex}:old`],
      ["k", "30402"],
    ],
  });
  expect(await start(facts, "new", "acknowledged")).toEqual([]);
});

it("asks again at the next start when no relay acknowledged", async () => {
  const facts = new Map<string, string>();
  await start(facts, "old", "acknowledged");
  expect(await start(facts, "new", "no-answer")).toHaveLength(1);
  expect(await start(facts, "new", "acknowledged")).toHaveLength(1);
});
