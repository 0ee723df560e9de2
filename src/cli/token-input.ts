import { open } from "node:fs/promises";

const MAX_TOKEN_BYTES = 64 * 1024;

/** A token from a file, or from standard input for `-`; never from the command line, which every user may read. */
export async function readTokenInput(path: string): Promise<string> {
  if (path === "-") return firstBytes(process.stdin);
  const file = await open(path);
  try {
    return await firstBytes(file.createReadStream({ autoClose: false }));
  } finally {
    await file.close();
  }
}

/** One byte beyond the bound is enough to be refused. */
async function firstBytes(stream: AsyncIterable<Buffer | string>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    const piece = Buffer.from(chunk);
    chunks.push(piece);
    bytes += piece.length;
    if (bytes > MAX_TOKEN_BYTES) break;
  }
  return Buffer.concat(chunks).toString("utf8").trim();
}
