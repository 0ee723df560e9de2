import { lstatSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Logger } from "pino";

const MAX_BODY_BYTES = 64 * 1024;
/** `sun_path` ends at 108 bytes, its end mark among them; a longer path would be cut short without a word. */
const MAX_PATH_BYTES = 107;

/** What the operator asks the running daemon; the answer goes out as JSON. */
export type ControlVerb = (request: unknown) => Promise<unknown>;

export interface ControlServer {
  /** From now on the verb is answered. */
  serve(verb: string, answer: ControlVerb): void;
  close(): Promise<void>;
}

/**
 * HTTP over a unix socket, for its owner alone: `POST /<verb>` with JSON, or nothing, as the body. To be opened under
 * the instance lock: what stands at `path` is then nobody's. Where no socket can be made the daemon goes on without.
 */
export async function openControl(path: string, logger: Logger): Promise<ControlServer> {
  const verbs = new Map<string, ControlVerb>();
  const server = createServer({ requestTimeout: 10_000 }, (request, response) => {
    answer(request).then(
      ([status, body]) => send(response, status, body),
      (error: unknown) => {
        // Nobody waits any more: the asker went, or the daemon ends.
        if (response.destroyed) return;
        const name = error instanceof Error ? error.name : typeof error;
        logger.error({ event: "control-failed", verb: verbOf(request), error: name });
        send(response, 500, { error: name });
      },
    );
  });

  async function answer(request: IncomingMessage): Promise<[status: number, body: unknown]> {
    const verb = verbs.get(verbOf(request));
    if (request.method !== "POST" || verb === undefined) return [404, { error: "unknown-verb" }];
    const text = await boundedBody(request);
    if (text === undefined) return [413, { error: "too-large" }];
    const parsed = parse(text);
    return parsed === undefined ? [400, { error: "not-json" }] : [200, await verb(parsed.value)];
  }

  try {
    removeStale(path);
    await listen();
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    logger.warn(
      { event: "control-off", why: typeof code === "string" ? code : "not-possible" },
      "there is no control socket beside the database; no command can reach this daemon",
    );
  }

  function listen(): Promise<void> {
    if (Buffer.byteLength(path) > MAX_PATH_BYTES) throw Object.assign(new Error(), { code: "ENAMETOOLONG" });
    // The socket is never there with wider rights, not even for a moment.
    const before = process.umask(0o177);
    try {
      return new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen({ path }, resolve);
      });
    } finally {
      process.umask(before);
    }
  }

  return {
    serve: (verb, answerIt) => void verbs.set(verb, answerIt),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Left by a daemon that was killed. A file that is no socket is somebody's mistake and stays. */
function removeStale(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isSocket()) rmSync(path);
}

function verbOf({ url = "" }: IncomingMessage): string {
  return url.slice(1);
}

/** `undefined` when it goes on beyond the bound. */
async function boundedBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parse(text: string): { value: unknown } | undefined {
  try {
    return { value: text === "" ? undefined : JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const connection = status === 200 ? "keep-alive" : "close";
  response.writeHead(status, { "content-type": "application/json", connection });
  response.end(JSON.stringify(body ?? null));
}
