import { describeKey, type KeyNode } from "./key-tree.ts";
import { isSecretKey } from "./secrets.ts";
import { isTable, type Path, pathName } from "./table.ts";

const PLACEHOLDER = /REPLACE_?WITH|PASTE|CHANGE_?ME|<[^<>]*>/;
/** In the operator's own prose, tags, autolinks and the word PASTE are no placeholders. */
const PLACEHOLDER_IN_PROSE = /REPLACE_WITH|PASTE_|CHANGE_?ME/;
const PROSE = new Set(["title", "summary", "content", "policies", "topics"]);
/** NIP-19. */
const NSEC = /nsec1[02-9ac-hj-np-z]{58}/;

export interface UnfitValue {
  name: string;
  problem: string;
}

/** Texts that fit no key, whatever its kind: placeholders left in, and a private key where it would be published. */
export function findUnfitValues(value: unknown, tree: KeyNode, at: Path = []): UnfitValue[] {
  if (typeof value === "string") {
    const name = pathName(at);
    const reason = whyUnfit(value, at);
    if (reason === undefined) return [];
    return [{ name, problem: `${name}: ${reason}; write your own: ${describeKey(tree, at)}` }];
  }
  const entries = Array.isArray(value) ? [...value.entries()] : isTable(value) ? Object.entries(value) : [];
  return entries.flatMap(([step, item]) => findUnfitValues(item, tree, [...at, step]));
}

function whyUnfit(text: string, at: Path): string | undefined {
  if (NSEC.test(text) && !isSecretKey(String(at.at(-1))))
    return "holds a Nostr private key, which is for nostr.nsec only";
  const pattern = at[0] === "listing" && PROSE.has(String(at[1])) ? PLACEHOLDER_IN_PROSE : PLACEHOLDER;
  return pattern.test(text) ? "still holds a placeholder" : undefined;
}
