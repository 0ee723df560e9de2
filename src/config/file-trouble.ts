/** Why a file could not be read, in words; the system's code where there are none. */
export function fileTrouble(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  switch (code) {
    case "ENOENT":
      return "does not exist";
    case "EACCES":
    case "EPERM":
      return "may not be read by this user";
    case "EISDIR":
      return "is a folder";
    default:
      return `cannot be read (${code ?? "unknown error"})`;
  }
}
