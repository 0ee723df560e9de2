import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ROOT, readDocument } from "./testing/reader/command-blocks.ts";

const spec = readDocument("docs/spec.md");

it("docs/spec.md names every file of vectors, and no other", () => {
  const [, chapter = ""] = spec.split("\n## Test vectors\n");
  const named = [...chapter.matchAll(/`([a-z-]+\.json)`/g)].map(([, name]) => name);
  expect(named.sort()).toEqual(readdirSync(join(ROOT, "docs/vectors")).sort());
});

it("docs/spec.md has every reason code", () => {
  const source = readFileSync(join(import.meta.dirname, "protocol/refusal.ts"), "utf8");
  const [union = ""] = /PurchaseReason =(.*?);/s.exec(source) ?? [];
  const reasons = [...union.matchAll(/"([a-z0-9-]+)"/g)].map(([, reason]) => reason ?? "");
  expect(reasons.length).toBeGreaterThan(30);
  expect(reasons.filter((reason) => !spec.includes(`\`${reason}\``))).toEqual([]);
});

it("its JSON is JSON", () => {
  const blocks = [...spec.matchAll(/^```json\n(.*?)^```$/gms)].map(([, json]) => json ?? "");
  expect(blocks.length).toBeGreaterThan(5);
  for (const block of blocks) expect(() => JSON.parse(block), block).not.toThrow();
});

it("its Caddy snippet is what the Caddyfile has, which a test runs", () => {
  const [, block = ""] = /^```caddy\n(.*?)^```$/ms.exec(spec) ?? [];
  const caddyfile = readFileSync(join(ROOT, "Caddyfile"), "utf8");
  expect(block).toContain("handle_errors");
  expect(caddyfile).toContain(block.replace("vpn.example.com {", "{$PUBLIC_HOST} {"));
});

it("its links lead to headings", () => {
  const slugs = [...spec.matchAll(/^#+ (.*)$/gm)].map(([, title]) => slugOf(title ?? ""));
  const links = [...spec.matchAll(/\]\(#([^)]+)\)/g)].map(([, slug]) => slug ?? "");
  expect(links.filter((slug) => !slugs.includes(slug))).toEqual([]);
});

/** As GitHub makes it. */
function slugOf(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}
