import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { IncomingHttpHeaders } from "node:http";
import { request } from "node:https";
import { join } from "node:path";
import { eventually } from "./eventually.ts";
import { freePort } from "./free-port.ts";
import { makeTempDir } from "./temp-dir.ts";

const CADDYFILE = join(import.meta.dirname, "../../Caddyfile");
const START_WITHIN_MS = 30_000;

export interface Caddy {
  /** `https://localhost:<port>`, with a certificate of Caddy's own authority. */
  readonly url: string;
  /** That authority's certificate, PEM. */
  readonly authority: string;
  ask(path: string, options?: AskOptions): Promise<CaddyAnswer>;
  /** Everything it ever printed. */
  output(): string;
  stop(): Promise<void>;
}

export interface AskOptions {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  /** The client's own address, of loopback. */
  from?: string;
}

export interface CaddyAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

/**
 * The repository's Caddyfile under a real Caddy, in front of `upstreamUrl`. Changed are the upstream's port, the port
 * for plain HTTP, that no authority goes into the system's trust store, and that it logs all that it ever would.
 * `localhost` is a name for which Caddy signs certificates itself.
 */
export async function startCaddy(upstreamUrl: string): Promise<Caddy> {
  const folder = await makeTempDir();
  const [port, plainPort] = [await freePort(), await freePort()];
  const caddyfile = join(folder.path, "Caddyfile");
  const changes: [string, string][] = [
    ["\tadmin off\n", `\tadmin off\n\tskip_install_trust\n\thttp_port ${plainPort}\n`],
    ["\tlog {\n", "\tlog {\n\t\tlevel DEBUG\n"],
  ];
  const text = readFileSync(CADDYFILE, "utf8").replaceAll("127.0.0.1:8080", new URL(upstreamUrl).host);
  writeFileSync(
    caddyfile,
    changes.reduce((so, [piece, by]) => replaceOnce(so, piece, by), text),
  );

  const child = spawn("caddy", ["run", "--config", caddyfile, "--adapter", "caddyfile"], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env.PATH,
      HOME: folder.path,
      XDG_DATA_HOME: folder.path,
      XDG_CONFIG_HOME: folder.path,
      PUBLIC_HOST: `localhost:${port}`,
    },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (piece: string) => {
      output += piece;
    });
  }
  const exited = once(child, "exit").catch(() => {});

  async function stop(): Promise<void> {
    child.kill("SIGKILL");
    await exited;
    await folder.remove();
  }

  const url = `https://localhost:${port}`;
  const authorityFile = join(folder.path, "caddy/pki/authorities/local/root.crt");
  try {
    await eventually(() => {
      if (child.exitCode !== null) throw new Error("Caddy ended");
      return existsSync(authorityFile) && output.includes("serving initial configuration");
    }, START_WITHIN_MS);
    const authority = readFileSync(authorityFile, "utf8");
    return {
      url,
      authority,
      ask: (path, options = {}) => ask(new URL(path, url), authority, options),
      output: () => output,
      stop,
    };
  } catch (cause) {
    await stop();
    throw new Error(`Caddy did not come up:\n${output}`, { cause });
  }
}

function replaceOnce(text: string, piece: string, by: string): string {
  const parts = text.split(piece);
  if (parts.length !== 2) throw new Error(`the Caddyfile must have ${JSON.stringify(piece)} once`);
  return parts.join(by);
}

function ask(
  url: URL,
  ca: string,
  { method = "GET", headers, body, from }: AskOptions,
): Promise<CaddyAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        method,
        ca,
        agent: false,
        family: 4,
        ...(headers ? { headers } : {}),
        ...(from ? { localAddress: from } : {}),
      },
      (answer) => {
        let text = "";
        answer.setEncoding("utf8");
        answer.on("data", (piece: string) => {
          text += piece;
        });
        answer.once("error", reject);
        answer.once("end", () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
      },
    );
    sent.once("error", reject);
    sent.end(body);
  });
}
