import type { Book } from "../db/open-book.ts";

export interface QueryPlan {
  sql: string;
  steps: string[];
}

/** How SQLite goes about every statement that `prepareAll` prepares on the book it is given. */
export function queryPlans(book: Book, prepareAll: (heard: Book) => void): QueryPlan[] {
  const statements: string[] = [];
  prepareAll(overheard(book, statements));
  return statements.map((sql) => {
    const steps = book.prepare(`EXPLAIN QUERY PLAN ${sql.replaceAll("?", "1")}`).all() as {
      detail: string;
    }[];
    return { sql, steps: steps.map(({ detail }) => detail) };
  });
}

function overheard(book: Book, statements: string[]): Book {
  return new Proxy(book, {
    get(target, name: keyof Book) {
      const member = target[name] as unknown;
      if (name === "prepare") {
        return (sql: string) => {
          statements.push(sql);
          return target.prepare(sql);
        };
      }
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}
