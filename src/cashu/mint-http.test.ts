import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import * as z from "zod";
import { createMintHttp } from "./mint-http.ts";

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function serve(listener: RequestListener): Promise<string> {
  const started = createServer(listener);
  server = started;
  await new Promise<void>((resolve) => started.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(started.address() as AddressInfo).port}`;
}

const http = createMintHttp({ timeoutMs: 20_000 });
const impatient = createMintHttp({ timeoutMs: 400 });
const schema = z.object({ ok: z.boolean() });

describe("a mint's answer", () => {
  it("is asked for under the configured path, body as it is", async () => {
    let seen = "";
    const url = await serve((request, response) => {
      request.on("data", (chunk) => {
        seen += `${request.method} ${request.url} ${request.headers["content-type"]} ${chunk}`;
      });
      request.on("end", () => response.end('{"ok":true,"more":1}'));
    });
    const answer = await http.post(`${url}/Bitcoin/`, "/v1/swap", '{"a": 1}', schema);
    expect(answer).toEqual({ kind: "ok", value: { ok: true } });
    expect(seen).toBe('POST /Bitcoin/v1/swap application/json {"a": 1}');
  });

  it.each([
    ["a NUT error", 400, '{"code":11001,"detail":"spent"}', { kind: "refused", code: 11001 }],
    ["pending proofs", 400, '{"code":11002,"detail":"x"}', { kind: "unclear" }],
    ["pending outputs", 400, '{"code":11004,"detail":"x"}', { kind: "unclear" }],
    ["pending in words", 400, '{"code":0,"detail":"proofs are pending."}', { kind: "unclear" }],
    ["a 400 that is no JSON", 400, "<html>", { kind: "unclear" }],
    ["a 400 without code", 400, '{"detail":"bad"}', { kind: "unclear" }],
    ["a 400 with a code as text", 400, '{"code":"11001","detail":"spent"}', { kind: "unclear" }],
    ["a 400 without detail", 400, '{"code":11001}', { kind: "unclear" }],
    ["a 400 with a list for detail", 400, '{"code":11001,"detail":[]}', { kind: "unclear" }],
    ["403", 403, '{"code":11001,"detail":"spent"}', { kind: "unclear" }],
    ["413", 413, "", { kind: "unclear" }],
    ["422", 422, '{"code":11001,"detail":"spent"}', { kind: "unclear" }],
    ["429", 429, '{"code":11001,"detail":"spent"}', { kind: "unclear" }],
    ["500", 500, '{"code":11001,"detail":"spent"}', { kind: "unclear" }],
    ["502", 502, "<html>", { kind: "unclear" }],
    ["204", 204, "", { kind: "unclear" }],
    ["a 200 that is no JSON", 200, "<html>", { kind: "unclear" }],
    ["a 200 of another form", 200, '{"detail":"x"}', { kind: "unclear" }],
  ])("%s", async (_, status, body, expected) => {
    const url = await serve((_request, response) => response.writeHead(status).end(body));
    expect(await http.get(url, "/v1/keysets", schema)).toMatchObject(expected);
  });

  it("is not followed elsewhere", async () => {
    let followed = false;
    const url = await serve((request, response) => {
      if (request.url === "/there") followed = true;
      response.writeHead(request.url === "/there" ? 200 : 307, { location: "/there" }).end('{"ok":true}');
    });
    expect(await http.post(url, "/v1/swap", "{}", schema)).toEqual({
      kind: "unclear",
      why: "HTTP 307, a redirect",
    });
    expect(followed).toBe(false);
  });

  it("is cut off beyond 1 MiB, and the connection with it", async () => {
    let written = 0;
    let closed: (() => void) | undefined;
    const hangUp = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const url = await serve((_request, response) => {
      response.on("close", () => closed?.());
      const write = (): void => {
        if (response.destroyed || written > 64 * 1024 * 1024) return void response.end();
        written += 65_536;
        response.write(" ".repeat(65_536), write);
      };
      write();
    });
    expect(await http.get(url, "/v1/keysets", schema)).toEqual({
      kind: "unclear",
      why: "HTTP 200, an answer over 1 MiB",
    });
    await hangUp;
    expect(written).toBeLessThan(32 * 1024 * 1024);
  });

  it("is waited for no longer than the timeout, headers and body alike", async () => {
    const silent = await serve(() => undefined);
    expect(await impatient.get(silent, "/", schema)).toEqual({
      kind: "unclear",
      why: "no answer within 400 ms",
    });
    server?.closeAllConnections();
    const drip = await serve((_request, response) => void response.writeHead(200).write("{"));
    expect(await impatient.get(drip, "/", schema)).toEqual({
      kind: "unclear",
      why: "no answer within 400 ms",
    });
  });

  it("that never came names the system's code and no address", async () => {
    const url = await serve(() => undefined);
    server?.close();
    expect(await http.get(url, "/", schema)).toEqual({ kind: "unclear", why: "not reached (ECONNREFUSED)" });
  });

  it("is asked for once, also when the connection breaks", async () => {
    let requests = 0;
    const url = await serve((request) => {
      requests += 1;
      request.socket.destroy();
    });
    expect(await http.post(url, "/v1/swap", "{}", schema)).toMatchObject({ kind: "unclear" });
    expect(requests).toBe(1);
  });
});
