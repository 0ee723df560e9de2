import { randomBytes } from "node:crypto";
import type { Book } from "./open-book.ts";

export type Facts = ReturnType<typeof createFacts>;

/** Single facts the book keeps by name. */
export function createFacts(book: Book) {
  const read = book.prepare<[string], string>("SELECT value FROM facts WHERE name = ?").pluck();
  const write = book.prepare("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)");
  const get = (name: string) => read.get(name) as string | undefined;
  const set = (name: string, value: string) => void write.run(name, value);
  return {
    get,
    set,
    /** 32 random bytes, made at the first call and the same ever after. */
    secret(name: string): Buffer {
      const known = get(name);
      if (known !== undefined) return Buffer.from(known, "hex");
      const made = randomBytes(32);
      set(name, made.toString("hex"));
      return made;
    },
  };
}
