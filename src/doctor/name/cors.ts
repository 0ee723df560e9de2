import type { IncomingHttpHeaders } from "node:http";
import { CORS_HEADERS } from "../../http/cors.ts";
import type { Check } from "../check.ts";
import { proxyCommand } from "../daemon/start-command.ts";
import { fail, ok, unseen } from "../finding.ts";

const ORIGIN = { origin: "https://client.example" };
const NEEDED = [
  "access-control-allow-origin",
  "access-control-allow-headers",
  "access-control-expose-headers",
] as const;

/** Buyers' clients are web pages: without these headers a browser throws the answer away, an error's as well. */
export const cors: Check = {
  name: "cors",
  group: "public name",
  async look({ ask }) {
    const preflight = { method: "OPTIONS", headers: { ...ORIGIN, "access-control-request-method": "POST" } };
    const [asked, refused] = await Promise.all([
      ask("/purchase", preflight),
      // Refused before anything is looked at: it has no authorization.
      ask("/purchase", { method: "POST", headers: { ...ORIGIN, "content-length": "0" } }),
    ]);
    if (asked?.kind !== "answered" || refused?.kind !== "answered")
      return unseen("the public name does not answer: see info");
    const wrong = [
      ...wrongHeaders(asked.headers).map((header) => `${header} of a preflight`),
      ...wrongHeaders(refused.headers).map((header) => `${header} of an error`),
    ];
    if (asked.status >= 300) wrong.push(`HTTP ${asked.status} for a preflight`);
    if (wrong.length === 0) return ok("a preflight and an error come with the headers that a browser needs");
    return fail(
      `a browser refuses what comes through the proxy: ${wrong.join(", ")}`,
      `the daemon sets these headers itself: take them out of the proxy's config, and what hides them; then as root: ${proxyCommand()}`,
    );
  },
};

/** Node joins a header that comes twice, and so does a browser, which then refuses it. */
function wrongHeaders(headers: IncomingHttpHeaders): string[] {
  return NEEDED.filter((name) => headers[name] !== CORS_HEADERS[name]).map((name) => {
    const value = headers[name];
    if (value === undefined) return `no ${name}`;
    return value.includes(`${CORS_HEADERS[name]}, ${CORS_HEADERS[name]}`)
      ? `${name} twice`
      : `another ${name}`;
  });
}
