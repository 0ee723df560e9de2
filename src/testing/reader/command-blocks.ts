import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "../../..");

/** What a document lets its reader type at a stretch. */
export interface CommandBlock {
  /** `README.md`, `docs/operations.md`. */
  document: string;
  /** Its first line, which names it. */
  first: string;
  lines: string;
}

/** README.md and docs/*.md, without the decisions. */
export function documents(): string[] {
  const inDocs = readdirSync(join(ROOT, "docs")).filter((name) => name.endsWith(".md"));
  return ["README.md", ...inDocs.sort().map((name) => `docs/${name}`)];
}

export function readDocument(document: string): string {
  return readFileSync(join(ROOT, document), "utf8");
}

/** Every block that is marked `sh`, and of those marked `console` the lines behind a `$`. In the document's order. */
export function commandBlocks(document: string): CommandBlock[] {
  return fences(readDocument(document)).flatMap(({ language, text }) => {
    if (language !== "sh" && language !== "console") return [];
    const lines = language === "sh" ? text : typedLines(text);
    return [{ document, first: lines.split("\n")[0] ?? "", lines }];
  });
}

/** The blocks of a document that say nothing of their language. */
export function unmarkedBlocks(document: string): string[] {
  return fences(readDocument(document)).flatMap(({ language, text }) => (language === "" ? [text] : []));
}

function fences(markdown: string): { language: string; text: string }[] {
  const found = markdown.matchAll(/^```(\w*)\n(.*?)^```$/gms);
  return [...found].map(([, language = "", text = ""]) => ({ language, text: text.trimEnd() }));
}

function typedLines(text: string): string {
  const lines = text.split("\n").filter((line) => line.startsWith("$ "));
  return lines.map((line) => line.slice(2)).join("\n");
}
