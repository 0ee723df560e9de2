import { z } from "zod";
import { configFileSchema } from "./schema.ts";

/** A key of the config file; lists of tables share the children of their tables. */
export interface KeyNode {
  description: string;
  children: Map<string, KeyNode>;
}

interface JsonSchema {
  description?: string;
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  oneOf?: JsonSchema[];
}

/** All keys that the schema knows, with their descriptions. */
export function keyTree(): KeyNode {
  return toNode(z.toJSONSchema(configFileSchema, { io: "input", unrepresentable: "any" }) as JsonSchema);
}

function toNode(schema: JsonSchema): KeyNode {
  const tables = schema.items ? (schema.items.oneOf ?? [schema.items]) : [schema];
  const children = tables.flatMap((table) => Object.entries(table.properties ?? {}));
  return {
    description: schema.description ?? "",
    children: new Map(children.map(([name, child]) => [name, toNode(child)])),
  };
}

/** Full names of all keys that hold a value: `listing.prices.amount`. */
export function leafNames(node: KeyNode, prefix = ""): string[] {
  return [...node.children].flatMap(([name, child]) =>
    child.children.size === 0 ? [prefix + name] : leafNames(child, `${prefix}${name}.`),
  );
}

/** The description of the key at a path, indices of lists left out. */
export function describeKey(tree: KeyNode, path: readonly PropertyKey[]): string {
  let node: KeyNode | undefined = tree;
  for (const step of path) if (typeof step === "string") node = node?.children.get(step) ?? node;
  return node?.description ?? "";
}
