import { expect, test } from "vitest";
import { distinctRelayUrls, normaliseRelayUrl } from "./relay-url.ts";

test("one relay in many spellings is one", () => {
  const spellings = [
    "wss://Relay.Example",
    "WSS://relay.example:443/",
    " wss://relay.example// ",
    "wss://relay.example/#x",
  ];
  expect(distinctRelayUrls(spellings)).toEqual(["wss://relay.example"]);
});

test("path, port and query tell relays apart", () => {
  const urls = [
    "ws://r.example",
    "wss://r.example",
    "wss://r.example/a",
    "wss://r.example:444",
    "wss://r.example/?k=1",
  ];
  expect(distinctRelayUrls(urls)).toHaveLength(urls.length);
});

test.each(["https://relay.example", "relay.example", "wss://", "wss://a b", "wss://user:word@r.example", ""])(
  "%s is no relay",
  (url) => {
    expect(normaliseRelayUrl(url)).toBeUndefined();
    expect(() => distinctRelayUrls([url])).toThrow(/not a relay/);
  },
);
