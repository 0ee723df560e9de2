import { once } from "node:events";
import { chmodSync, existsSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { Writable } from "node:stream";
import pino from "pino";
import { afterEach, beforeEach, expect, it } from "vitest";
import * as z from "zod";
import { makeTempDir, type TempDir } from "../testing/temp-dir.ts";
import { askDaemon, NoDaemonError } from "./client.ts";
import { type ControlServer, openControl } from "./server.ts";

let folder: TempDir;
let path: string;
const opened: ControlServer[] = [];
let log = "";
const logger = pino(
  new Writable({
    write(chunk, _encoding, done) {
      log += String(chunk);
      done();
    },
  }),
);

beforeEach(async () => {
  folder = await makeTempDir();
  path = join(folder.path, "sessions.db.sock");
  log = "";
});
afterEach(async () => {
  for (const server of opened.splice(0)) await server.close();
  await folder.remove();
});

async function open(at = path): Promise<ControlServer> {
  const server = await openControl(at, logger);
  opened.push(server);
  return server;
}

function status(method: string, verb: string, body = ""): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: path, path: verb, method, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.once("error", reject);
    asked.end(body);
  });
}

it("answers a verb with what it was asked", async () => {
  const server = await open();
  server.serve("double", async (asked) => ({ twice: z.number().parse(asked) * 2 }));
  expect(await askDaemon(path, "double", z.object({ twice: z.number() }), 21)).toEqual({ twice: 42 });
});

it("is its owner's alone, whatever the umask, and goes when it is closed", async () => {
  const umask = process.umask(0);
  const server = await open();
  expect(process.umask(umask)).toBe(0);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  await server.close();
  expect(existsSync(path)).toBe(false);
});

it("replaces a socket that nobody listens on", async () => {
  const dead = createServer().listen(path);
  await once(dead, "listening");
  // As after kill -9: the file stays without a listener.
  const other = join(folder.path, "moved");
  renameSync(path, other);
  await new Promise((resolve) => dead.close(resolve));
  renameSync(other, path);
  const server = await open();
  server.serve("ping", async () => "pong");
  expect(await askDaemon(path, "ping", z.string())).toBe("pong");
});

it("leaves a file alone that is no socket, and the daemon goes on without", async () => {
  writeFileSync(path, "mine");
  await open();
  expect(readFileSync(path, "utf8")).toBe("mine");
  expect(log).toContain('"event":"control-off"');
});

it("is off, not cut short, where the path is too long for a socket", async () => {
  await open(join(folder.path, "x".repeat(120)));
  expect(log).toContain("ENAMETOOLONG");
});

it("refuses what is no verb, no JSON, or too large", async () => {
  const server = await open();
  server.serve("ping", async () => "pong");
  expect(await status("POST", "/ping")).toBe(200);
  expect(await status("GET", "/ping")).toBe(404);
  expect(await status("POST", "/pong")).toBe(404);
  expect(await status("POST", "/ping", "{")).toBe(400);
  expect(await status("POST", "/ping", `"${"x".repeat(70_000)}"`)).toBe(413);
});

it("a verb that fails is told by the name of its error alone", async () => {
  const server = await open();
  server.serve("fail", () => Promise.reject(new RangeError("a secret")));
  await expect(askDaemon(path, "fail", z.unknown())).rejects.toThrow(/its log says why/);
  expect(log).toContain("RangeError");
  expect(log).not.toContain("a secret");
});

it("says plainly what is wrong where no daemon answers", async () => {
  await expect(askDaemon(path, "books", z.unknown())).rejects.toThrow(NoDaemonError);
  await expect(askDaemon(path, "books", z.unknown())).rejects.toThrow(/no daemon answers at .*\.sock/);
  const server = await open();
  await expect(askDaemon(path, "books", z.unknown())).rejects.toThrow(
    /still starting, or of another version/,
  );
  server.serve("books", async () => ({ other: 1 }));
  await expect(askDaemon(path, "books", z.object({ balanced: z.boolean() }))).rejects.toThrow(
    /another version/,
  );
});

it("says so where the socket is another user's", async () => {
  await open();
  chmodSync(path, 0o000);
  const isRoot = process.getuid?.() === 0;
  if (isRoot) process.seteuid?.("nobody");
  try {
    await expect(askDaemon(path, "books", z.unknown())).rejects.toThrow(/not yours to use/);
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
});

it("a daemon that ends while it works out an answer does not leave the asker waiting", async () => {
  const server = await open();
  server.serve("books", () => new Promise(() => {}));
  const asked = askDaemon(path, "books", z.unknown());
  await new Promise((resolve) => setTimeout(resolve, 50));
  await server.close();
  await expect(asked).rejects.toThrow(/ended, or did not answer/);
  expect(log).not.toContain("control-failed");
});
