import { fileTrouble } from "../config/file-trouble.ts";

/** Why a file could not be written, in words. */
export function writeTrouble(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOSPC" || code === "EDQUOT") return "the disk is full";
  if (code === "EACCES" || code === "EPERM") return "this user may not write there";
  if (code === "EROFS") return "the disk is read-only";
  return code === undefined ? "the file system does not take it" : fileTrouble(error);
}
