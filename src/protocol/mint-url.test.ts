import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { normaliseMintUrl } from "./mint-url.ts";

describe("normaliseMintUrl", () => {
  it.each([
    ["https://mint.example", "https://mint.example"],
    ["HTTPS://Mint.Example/", "https://mint.example"],
    ["https://mint.example:443/", "https://mint.example"],
    ["http://mint.example:80", "http://mint.example"],
    ["http://mint.example:443", "http://mint.example:443"],
    ["https://mint.example:3338//", "https://mint.example:3338"],
    ["https://mint.example/Bitcoin/", "https://mint.example/Bitcoin"],
    ["https://mint.example/a//b", "https://mint.example/a//b"],
    ["http://127.0.0.1:3338", "http://127.0.0.1:3338"],
    ["http://[::1]:3338/", "http://[::1]:3338"],
  ])("makes %s to %s", (url, normalised) => {
    expect(normaliseMintUrl(url)).toBe(normalised);
  });

  it.each([
    "",
    "mint.example",
    "ftp://mint.example",
    "javascript:alert(1)",
    "https:mint.example",
    "https:/mint.example",
    "https://",
    "https://user@mint.example",
    "https://user:word@mint.example",
    "https://mint.example/?a=b",
    "https://mint.example?",
    "https://mint.example#",
    "https://mint.example/#x",
    " https://mint.example",
    "https://mint.exa\tmple",
    "https:\\\\mint.example",
    "https://mint.example:99999",
    `https://mint.example/${"a".repeat(2048)}`,
  ])("takes no %j", (url) => {
    expect(normaliseMintUrl(url)).toBeUndefined();
  });

  it("is settled after once, and never throws", () => {
    fc.assert(
      fc.property(fc.oneof(fc.webUrl(), fc.string()), (url) => {
        const once = normaliseMintUrl(url);
        if (once !== undefined) expect(normaliseMintUrl(once)).toBe(once);
      }),
    );
  });
});
