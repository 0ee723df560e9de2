import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = dirname(fileURLToPath(import.meta.url));

interface Rule {
  from: RegExp;
  forbids: RegExp;
  why: string;
}

/** Directions that keep the money logic free of the world. `forbids` matches a package or a path below src/. */
const rules: Rule[] = [
  {
    from: /^protocol\//,
    forbids: /^(?!protocol\/|nostr-tools|@noble\/|@scure\/)/,
    why: "protocol/ is pure and usable by others",
  },
  {
    from: /^(sales|tunnels|refunds|notes)\//,
    forbids:
      /^(fastify|@fastify|@nostr-dev-kit|@cashu|node:child_process|node:http|http\/|nostr\/|wallet\/|cashu\/|wireguard\/|config)/,
    why: "what decides over money and access owns its ports and knows no adapter",
  },
  { from: /^tunnels\//, forbids: /^sales\//, why: "sales know tunnels, not the other way round" },
  {
    from: /^(sales|tunnels)\//,
    forbids: /^(refunds|notes|books|backup)\//,
    why: "a sale hangs on none of what looks at it afterwards",
  },
  { from: /^(?!cashu\/|testing\/)/, forbids: /^@cashu\//, why: "cashu/ alone speaks cashu-ts" },
  {
    from: /^(?!cashu\/curve\.ts|nostr\/(authentic-event|own-signer)\.ts|testing\/bench\/)/,
    forbids: /^tiny-secp256k1/,
    why: "its WASM breaks on points that nobody checked",
  },
  {
    from: /^(?!nostr\/|wallet\/|testing\/)/,
    forbids: /^@nostr-dev-kit\//,
    why: "nostr/ alone speaks NDK; wallet/codec.ts needs its types",
  },
  {
    from: /^(?!wallet\/codec\.ts)/,
    forbids: /^@nostr-dev-kit\/ndk-wallet/,
    why: "ndk-wallet is a codec here and nothing else",
  },
  {
    from: /^(?!wireguard\/|testing\/|e2e\/)/,
    forbids: /^node:child_process/,
    why: "wireguard/ alone runs programs",
  },
  { from: /^(?!testing\/|e2e\/)/, forbids: /^testing\//, why: "nothing shipped knows testing/" },
  {
    from: /^(?!index\.ts|daemon|cli\/|doctor\/|http\/|testing\/|e2e\/)/,
    forbids: /^(http\/|daemon|index\.ts)/,
    why: "nothing points back up",
  },
  {
    from: /^(?!cli\/|doctor\/|testing\/|e2e\/)/,
    forbids: /^doctor\//,
    why: "doctor/ looks at the daemon from outside; the daemon does not know it",
  },
  { from: /^(?!http\/|testing\/)/, forbids: /^(fastify|@fastify\/)/, why: "http/ alone speaks Fastify" },
];

interface Source {
  file: string;
  text: string;
  imports: string[];
}

function sources(): Source[] {
  return (readdirSync(root, { recursive: true }) as string[])
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
    .map((file) => {
      const text = readFileSync(join(root, file), "utf8");
      const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map(
        (match) => match[1] ?? "",
      );
      return { file, text, imports: specifiers.map((name) => toTarget(file, name)) };
    });
}

function toTarget(file: string, specifier: string): string {
  return specifier.startsWith(".") ? relative(root, resolve(root, dirname(file), specifier)) : specifier;
}

const all = sources();

describe("directions", () => {
  it.each(rules)("$why", ({ from, forbids }) => {
    const broken = all
      .filter((source) => from.test(source.file))
      .flatMap((source) =>
        source.imports.filter((name) => forbids.test(name)).map((name) => `${source.file} → ${name}`),
      );
    expect(broken).toEqual([]);
  });

  it("has no cycles", () => {
    const imports = new Map(all.map(({ file, imports }) => [file, imports]));
    const finished = new Set<string>();
    const walk = (file: string, path: string[]): void => {
      if (path.includes(file))
        throw new Error(`cycle: ${[...path.slice(path.indexOf(file)), file].join(" → ")}`);
      if (finished.has(file)) return;
      for (const next of imports.get(file) ?? []) if (imports.has(next)) walk(next, [...path, file]);
      finished.add(file);
    };
    for (const { file } of all) walk(file, []);
    expect(finished.size).toBe(all.length);
  });

  it("keeps SQL in store files and db/", () => {
    const sql = /\b(SELECT .+ FROM|INSERT (OR \w+ )?INTO|UPDATE \w+ SET|DELETE FROM)\b/;
    const strays = all.filter(
      ({ file, text }) => sql.test(text) && !/^(db|testing|e2e)\/|(-store|-pool)\.ts$/.test(file),
    );
    expect(strays.map(({ file }) => file)).toEqual([]);
  });

  it("reads the environment only where configuration is", () => {
    const strays = all.filter(
      ({ file, text }) => text.includes("process.env") && !/^(config|testing\/|e2e\/)/.test(file),
    );
    expect(strays.map(({ file }) => file)).toEqual([]);
  });

  it("imports websocket-polyfill before anything else", () => {
    const index = all.find(({ file }) => file === "index.ts");
    expect(index?.imports[0]).toBe("websocket-polyfill");
  });
});
