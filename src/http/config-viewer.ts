import { createHash } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { bundlePage, type PageParts } from "./viewer/bundle-page.ts";

/** The server whose .conf the page shows (rule 28). */
export interface ViewerServer {
  /** `host:port`, as it stands in every .conf. */
  endpoint: string;
  /** 32 bytes, base64. */
  serverPublicKey: string;
}

/**
 * GET /config-viewer: one static document that shows a buyer the .conf in its link's fragment, which a browser keeps
 * to itself (docs/spec.md, "Lightning"). `undefined`: Lightning is not sold, and there is no such page.
 */
export function addConfigViewerRoute(app: FastifyInstance, server: ViewerServer | undefined): void {
  if (server === undefined) return;
  const parts = bundlePage();
  const document = fillIn(parts, server);
  const headers = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": contentSecurityPolicy(parts),
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
  };
  app.get("/config-viewer", async (_request, reply) => reply.headers(headers).send(document));
}

/** The values first: once escaped they hold no placeholder, and nothing is looked for in the script. */
function fillIn({ template, style, script }: PageParts, { endpoint, serverPublicKey }: ViewerServer): string {
  const values: [string, string][] = [
    ["{{endpoint}}", escapeAttribute(endpoint)],
    ["{{serverPublicKey}}", escapeAttribute(serverPublicKey)],
    ['<link rel="stylesheet" href="page.css">', `<style>${style}</style>`],
    ['<script src="dom/page.ts"></script>', `<script>${script}</script>`],
  ];
  return values.reduce((document, [place, value]) => {
    if (!document.includes(place)) throw new Error(`page.html has no ${place}`);
    return document.replace(place, () => value);
  }, template);
}

function escapeAttribute(text: string): string {
  return text.replace(/[&"<{]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** CSP level 3. `data:` is for the empty icon, without which browsers ask for /favicon.ico. */
function contentSecurityPolicy({ script, style }: PageParts): string {
  return [
    "default-src 'none'",
    `script-src ${hashSource(script)}`,
    `style-src ${hashSource(style)}`,
    "connect-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    // No string becomes markup or code, whatever the script does.
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");
}

function hashSource(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}
