/**
 * The code of an error that says that the book cannot be written now: a disk that is full, read-only or failing, or a
 * writer beside us that does not end. SQLite has rolled the transaction back by then, and the connection goes on.
 */
export function unwritableCode(error: unknown): string | undefined {
  const code = String((error as { code?: unknown } | undefined)?.code);
  return /^SQLITE_(FULL|READONLY|IOERR|CANTOPEN|BUSY)/.test(code) ? code : undefined;
}
