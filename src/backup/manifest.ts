import * as z from "zod";

/** What a file that says a higher number holds, only a newer europa-node knows (docs/backup.md). */
export const FORMAT_VERSION = 1;

const absolutePath = z.string().startsWith("/").max(4096);

/** The first member of every backup. */
export const manifestSchema = z.object({
  format: z.literal("europa-node-backup"),
  version: z.literal(FORMAT_VERSION),
  /** Unix seconds at which the book was copied. */
  madeAt: z.int().nonnegative(),
  /** Of the daemon that made it. */
  daemonVersion: z.string(),
  /** The operator's Nostr key, 64 hex. */
  pubkey: z.string().regex(/^[0-9a-f]{64}$/),
  book: z.object({ member: z.literal("book.db"), path: absolutePath, bytes: z.int().positive() }),
  config: z.object({ member: z.literal("config.toml") }),
  /** Files that the config names, and the interface's key. `name` is the config's own. */
  keys: z
    .array(
      z.object({
        member: z.string().regex(/^keys\/[a-z0-9_.]{1,60}$/),
        name: z.string(),
        path: absolutePath,
      }),
    )
    .max(16),
  /** What was to be in it and could not be read. */
  absent: z.array(z.object({ name: z.string(), why: z.string() })),
});

export type Manifest = z.infer<typeof manifestSchema>;
