/** The same look for all who want to see it. */
export function once<T>(look: () => Promise<T>): () => Promise<T> {
  let seen: Promise<T> | undefined;
  return () => {
    seen ??= look();
    return seen;
  };
}
