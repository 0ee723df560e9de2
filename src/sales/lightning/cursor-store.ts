import type { Book } from "../../db/open-book.ts";
import type { Cursor } from "./ports.ts";

/** Where each kind of node has been followed to. */
export function createCursorStore(book: Book) {
  const read = book.prepare<[string], number>("SELECT position FROM node_cursors WHERE node = ?").pluck();
  const write = book.prepare(
    `INSERT INTO node_cursors (node, position) VALUES (?, ?)
       ON CONFLICT DO UPDATE SET position = max(position, excluded.position)`,
  );
  return {
    get: (node: string): Cursor | undefined => read.get(node),
    /** Never backwards. */
    advance: (node: string, cursor: Cursor) => void write.run(node, cursor),
  };
}
