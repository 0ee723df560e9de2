import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "smol-toml";
import { expect, it } from "vitest";
import { ConfigError, loadConfig } from "../config.ts";
import { type KeyNode, keyTree, leafNames } from "./key-tree.ts";
import { isTable, type Table } from "./table.ts";

const EXAMPLE = readFileSync(new URL("../../config.example.toml", import.meta.url), "utf8");

const FILLED_IN: Record<string, string> = {
  REPLACE_WITH_YOUR_DOMAIN: "vpn.example.com",
  REPLACE_WITH_SERVER_PUBLIC_KEY: "HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw=",
  REPLACE_WITH_TITLE: "A tunnel",
  REPLACE_WITH_A_MINT: "mint.example.com",
};

function load(text: string) {
  const folder = mkdtempSync(join(tmpdir(), "example-"));
  try {
    const nsec = join(folder, "nsec");
    writeFileSync(nsec, "11".repeat(32), { mode: 0o600 });
    writeFileSync(join(folder, "p2pk"), `${"00".repeat(31)}01`, { mode: 0o600 });
    const path = join(folder, "config.toml");
    writeFileSync(path, text.replaceAll("/etc/europa-node/secret", folder), { mode: 0o600 });
    return loadConfig(path, { configPath: path, logLevel: "info", wireguardMode: "", defaultNsecFile: nsec });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Optional keys stand behind a # without a space; prose has a space. */
function withOptionalKeys(text: string): string {
  return text.replaceAll(/^#(?=[[a-z])/gm, "");
}

function namesIn(table: Table, prefix = ""): string[] {
  return Object.entries(table).flatMap(([name, value]) => {
    const tables = (Array.isArray(value) ? value : [value]).filter(isTable);
    return tables.length === 0
      ? [prefix + name]
      : tables.flatMap((inner) => namesIn(inner, `${prefix}${name}.`));
  });
}

function nodes(node: KeyNode): KeyNode[] {
  return [...node.children.values()].flatMap((child) => [child, ...nodes(child)]);
}

it("starts the daemon once its placeholders are filled in, without a warning", () => {
  const filled = EXAMPLE.replaceAll(/REPLACE_WITH_[A-Z0-9_]+/g, (name) => FILLED_IN[name] ?? name);
  expect(load(filled).warnings).toEqual([]);
});

it("is refused as it is, a line for each placeholder", () => {
  let problems: string[] = [];
  try {
    load(EXAMPLE);
  } catch (error) {
    problems = error instanceof ConfigError ? error.problems : [String(error)];
  }
  expect(problems.map((problem) => problem.split(": still holds a placeholder")[0])).toEqual([
    "server.public_host",
    "wireguard.server_pubkey",
    "listing.title",
    "listing.payment_methods[0].mint",
  ]);
});

it("has every key of the schema and no other", () => {
  const names = namesIn(parse(withOptionalKeys(EXAMPLE)));
  expect([...new Set(names)].sort()).toEqual(leafNames(keyTree()).sort());
});

it("shows optional keys with their defaults", () => {
  const filled = EXAMPLE.replaceAll(/REPLACE_WITH_[A-Z0-9_]+/g, (name) => FILLED_IN[name] ?? name);
  const defaults =
    /^#(?=(trusted_proxies|exclusive|address_hold_seconds|tick_seconds|max_flows|success_action|invoice_seconds|invoice_grace_seconds|stub_sells|max_fee_sat|settle_seconds|open_hold_seconds|price_grace|keep|dir|refresh_minutes) =)/gm;
  const ofText = (text: string) => ({ ...load(text).config, path: undefined, namedFiles: undefined });
  expect(ofText(filled.replaceAll(defaults, ""))).toEqual(ofText(filled));
});

it("comes from a schema that describes each key", () => {
  for (const node of nodes(keyTree())) expect(node.description).not.toBe("");
});
