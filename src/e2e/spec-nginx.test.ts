import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { askOverTls, type CaddyAnswer } from "../testing/caddy.ts";
import { eventually } from "../testing/eventually.ts";
import { freePort } from "../testing/free-port.ts";
import { makeSelfSigned } from "../testing/lightning/lnd-certificate.ts";
import { createOperator, type Operator } from "../testing/operator.ts";
import { readDocument } from "../testing/reader/command-blocks.ts";
import { startRelay, type TestRelay } from "../testing/relay.ts";
import { makeTempDir, type TempDir } from "../testing/temp-dir.ts";
import { toolsMissing } from "../testing/tools.ts";

const missing = toolsMissing(["nginx", "openssl"], Boolean(process.env.CI));

describe.skipIf(missing)(`nginx as docs/spec.md has it${missing ? ` (skipped: ${missing})` : ""}`, () => {
  let relay: TestRelay;
  let operator: Operator;
  let folder: TempDir;
  let nginx: ChildProcess;
  let ask: (path: string, method?: string, headers?: Record<string, string>) => Promise<CaddyAnswer>;

  beforeAll(async () => {
    relay = await startRelay();
    operator = await createOperator({ relays: [relay.url], mints: [], cashuEnabled: false });
    await operator.start();
    folder = await makeTempDir();
    const port = await freePort();
    const { key, certificate } = await makeSelfSigned();
    writeFileSync(join(folder.path, "key.pem"), key, { mode: 0o600 });
    writeFileSync(join(folder.path, "cert.pem"), certificate);
    mkdirSync(join(folder.path, "logs"));
    writeFileSync(join(folder.path, "nginx.conf"), configOf(folder.path, port, operator.url));
    nginx = spawn("nginx", ["-p", folder.path, "-c", join(folder.path, "nginx.conf")], { stdio: "inherit" });
    ask = (path, method = "GET", headers = {}) =>
      askOverTls(new URL(path, `https://localhost:${port}`), certificate, { method, headers });
    await eventually(
      () =>
        ask("/health/live").then(
          () => true,
          () => false,
        ),
      30_000,
    );
  }, 120_000);

  afterAll(async () => {
    if (nginx?.exitCode === null && nginx.kill("SIGTERM")) await once(nginx, "exit");
    await operator?.destroy();
    await relay?.stop();
    await folder?.remove();
  }, 60_000);

  it("passes the daemon's answers with their CORS headers, once, and tokens of 50 KiB", async () => {
    const info = await ask("/info");
    expect([info.status, info.headers["access-control-allow-origin"]]).toEqual([200, "*"]);
    const long = await ask("/purchase", "POST", { "x-cashu": `cashuB${"a".repeat(50_000)}` });
    expect([long.status, JSON.parse(long.text).reason]).toEqual([401, "bad-request"]);
    expect(long.headers["access-control-allow-origin"]).toBe("*");
  });

  it("refuses what is longer in words that a page of another origin can read", async () => {
    const refused = await ask("/purchase", "POST", { "x-cashu": `cashuB${"a".repeat(70_000)}` });
    expect([refused.status, JSON.parse(refused.text).reason]).toEqual([400, "bad-request"]);
    expect(refused.headers["access-control-allow-origin"]).toBe("*");
  });

  it("says to repeat the request while the daemon is away", async () => {
    await operator.stop();
    const away = await ask("/purchase", "POST");
    expect([away.status, JSON.parse(away.text).reason]).toEqual([503, "tunnel-unavailable"]);
    expect(away.headers).toMatchObject({ "access-control-allow-origin": "*", "retry-after": "5" });
    const preflight = await ask("/purchase", "OPTIONS");
    expect([preflight.status, preflight.headers["access-control-allow-headers"]]).toEqual([
      204,
      "Content-Type, Authorization, X-Cashu",
    ]);
  });
});

/** Changed are ports, upstream, certificate and the place of its log. */
function configOf(folder: string, port: number, upstream: string): string {
  const [, server = ""] = /```nginx\n(.*?)```/s.exec(readDocument("docs/spec.md")) ?? [];
  const changes = {
    "listen 443 ssl http2;": `listen 127.0.0.1:${port} ssl http2;`,
    "# ssl_certificate …; ssl_certificate_key …;": `ssl_certificate ${folder}/cert.pem; ssl_certificate_key ${folder}/key.pem;`,
    "http://127.0.0.1:8080": upstream,
    "/var/log/nginx/error.log": `${folder}/logs/error.log`,
  };
  const changed = Object.entries(changes).reduce((so, [piece, by]) => {
    if (!so.includes(piece)) throw new Error(`the nginx block has no ${piece}`);
    return so.replaceAll(piece, by);
  }, server);
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join(" ");
  return `daemon off; master_process off; pid ${folder}/nginx.pid; error_log ${folder}/logs/start.log;
events {}
http { access_log off; ${paths}
${changed}
}
`;
}
