/** The socket beside the database: whoever may read the one may use the other. */
export function controlPath(databasePath: string): string {
  return `${databasePath}.sock`;
}
