import type { Book } from "../db/open-book.ts";
import { type Session, type SessionRow, sessionColumns, sessionTables, toSession } from "./session-row.ts";

export type SessionLookup = { kind: "one"; session: Session } | { kind: "none" } | { kind: "several" };

export type SessionLookupStore = ReturnType<typeof createSessionLookupStore>;

/** Sessions as an operator looks for them. */
export function createSessionLookupStore(book: Book) {
  const newest = book.prepare<[number], SessionRow>(
    `SELECT ${sessionColumns} ${sessionTables} ORDER BY s.rowid DESC LIMIT ?`,
  );
  const running = book.prepare<[], SessionRow>(
    `SELECT ${sessionColumns} ${sessionTables} WHERE s.status = 'active' ORDER BY s.expires_at IS NULL, s.expires_at`,
  );
  const count = book.prepare<[], number>("SELECT count(*) FROM sessions").pluck();
  const alike = book.prepare<[string, string], SessionRow>(
    `SELECT ${sessionColumns} ${sessionTables} WHERE s.session_id >= ? AND s.session_id < ?
       ORDER BY s.session_id LIMIT 2`,
  );
  const atAddress = book.prepare<[string], SessionRow>(
    `SELECT ${sessionColumns} ${sessionTables} WHERE s.assigned_ip = ? AND s.status IN ('pending', 'active')`,
  );

  return {
    /** Those that run, the one that ends first at the top. */
    running: () => running.all().map(toSession),
    /** Whatever became of them, newest first. */
    newest: (most: number) => newest.all(most).map(toSession),
    count: () => count.get() ?? 0,
    /** By address while it is taken, by id, or by the first characters of one id. */
    find(which: string): SessionLookup {
      // Nothing at all is how every id begins, also that of the only one.
      if (which === "") return { kind: "none" };
      const here = atAddress.get(which);
      if (here) return { kind: "one", session: toSession(here) };
      const [first, second] = alike.all(which, `${which}\u{10ffff}`);
      if (first === undefined) return { kind: "none" };
      const isNamed = second === undefined || first.session_id === which;
      return isNamed ? { kind: "one", session: toSession(first) } : { kind: "several" };
    },
  };
}
