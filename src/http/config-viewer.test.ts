import { createHash } from "node:crypto";
import Fastify, { type FastifyInstance } from "fastify";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { viewerServer } from "../testing/viewer-conf.ts";
import { addConfigViewerRoute, type ViewerServer } from "./config-viewer.ts";

const server: ViewerServer = { endpoint: viewerServer.endpoint, serverPublicKey: viewerServer.publicKey };
let app: FastifyInstance;

beforeEach(() => {
  app = Fastify();
});
afterEach(() => app.close());

function served(page: ViewerServer | undefined, options: { method?: "GET" | "HEAD"; url?: string } = {}) {
  addConfigViewerRoute(app, page);
  return app.inject({ method: "GET", url: "/config-viewer", ...options });
}

/** What stands between the tags of each such element. */
function contents(html: string, tag: string): string[] {
  return [...html.matchAll(new RegExp(`<${tag}(?: [^>]*)?>([^]*?)</${tag}>`, "g"))].map(
    ([, content = ""]) => content,
  );
}

const sha256 = (text: string) => createHash("sha256").update(text).digest("base64");

describe("GET /config-viewer", () => {
  it("is one HTML document that nobody stores, refers to or guesses at", async () => {
    const answer = await served(server);
    expect(answer.statusCode).toBe(200);
    expect(answer.headers).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
    });
    expect(answer.body).toMatch(/^<!doctype html>\n<html lang="en">/);
  });

  it("allows its own script and style by hash, and nothing else", async () => {
    const { body, headers } = await served(server);
    const [script = "", ...moreScripts] = contents(body, "script");
    const [style = "", ...moreStyles] = contents(body, "style");
    expect([moreScripts, moreStyles]).toEqual([[], []]);
    expect(script.length).toBeGreaterThan(10_000);
    expect(style.length).toBeGreaterThan(1_000);
    expect(headers["content-security-policy"]).toBe(
      [
        "default-src 'none'",
        `script-src 'sha256-${sha256(script)}'`,
        `style-src 'sha256-${sha256(style)}'`,
        "connect-src 'self'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
      ].join("; "),
    );
  });

  it("asks for nothing from elsewhere", async () => {
    const { body } = await served(server);
    const [script = ""] = contents(body, "script");
    const markup = body.replace(script, "");
    expect(markup.match(/\b(?:src|href|action|srcset|data)="[^"]*"/g)).toEqual(['href="data:,"']);
    expect(markup).not.toMatch(/\b(?:on\w+|style)=|@import|url\(/);
    expect(script).not.toMatch(
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/,
    );
  });

  it("carries the server as data: the script is the same for every server", async () => {
    const { body, headers } = await served(server);
    expect(body).toContain(`data-endpoint="${server.endpoint}"`);
    expect(body).toContain(`data-public-key="${server.serverPublicKey}"`);
    expect(contents(body, "script").join()).not.toContain(server.endpoint);
    const other = Fastify();
    addConfigViewerRoute(other, { endpoint: "other.example.com:1", serverPublicKey: "x" });
    const answer = await other.inject("/config-viewer");
    expect(answer.headers["content-security-policy"]).toBe(headers["content-security-policy"]);
  });

  it("escapes what the config says, and takes no placeholder in it for one", async () => {
    const endpoint = `"><script>alert(1)</script>&{{serverPublicKey}}$&$'`;
    const { body } = await served({ endpoint, serverPublicKey: "K" });
    expect(contents(body, "script")).toHaveLength(1);
    expect(body).toContain(
      `data-endpoint="&#34;>&#60;script>alert(1)&#60;/script>&#38;&#123;&#123;serverPublicKey}}$&#38;$'" data-public-key="K"`,
    );
  });

  it("answers HEAD with the same headers", async () => {
    const head = await served(server, { method: "HEAD" });
    expect([head.statusCode, head.body]).toEqual([200, ""]);
    expect(head.headers).toMatchObject({ "content-type": "text/html; charset=utf-8" });
    expect(head.headers["content-security-policy"]).toContain("default-src 'none'");
  });

  it("is 404 where Lightning is not sold", async () => {
    expect((await served(undefined)).statusCode).toBe(404);
  });
});
