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
  /** That authority's certificate, PEM, and the file that it is in. */
  readonly authority: string;
  readonly authorityFile: string;
  ask(path: string, options?: AskOptions): Promise<CaddyAnswer>;
  /** Everything it ever printed. */
  output(): string;
  stop(): Promise<void>;
}

export interface CaddyOptions {
  /** Put before the command, such as `["ip", "netns", "exec", "operator"]`. */
  commandPrefix?: readonly string[];
  /** At the usual ports. Left out: `localhost` at a free one. */
  publicHost?: string;
  /** Pieces of the Caddyfile, each there once, and what stands in their place. */
  changes?: readonly (readonly [piece: string, by: string])[];
  /** Where its authority is kept from one start to the next. */
  folder?: string;
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
 * for plain HTTP, that no authority goes into the system's trust store, and that it logs all that it ever would. It
 * signs its certificates itself.
 */
export async function startCaddy(upstreamUrl: string, options: CaddyOptions = {}): Promise<Caddy> {
  const folder = await makeTempDir();
  const home = options.folder ?? folder.path;
  const host = options.publicHost ?? `localhost:${await freePort()}`;
  const plainPort = options.publicHost === undefined ? await freePort() : 80;
  const caddyfile = join(folder.path, "Caddyfile");
  const changes: (readonly [string, string])[] = [
    ["\tadmin off\n", `\tadmin off\n\tskip_install_trust\n\tlocal_certs\n\thttp_port ${plainPort}\n`],
    ["\tlog {\n", "\tlog {\n\t\tlevel DEBUG\n"],
    ...(options.changes ?? []),
  ];
  const text = readFileSync(CADDYFILE, "utf8").replaceAll("127.0.0.1:8080", new URL(upstreamUrl).host);
  writeFileSync(
    caddyfile,
    changes.reduce((so, [piece, by]) => replaceOnce(so, piece, by), text),
  );

  const run = [...(options.commandPrefix ?? []), "caddy", "run"];
  const child = spawn(run[0] as string, [...run.slice(1), "--config", caddyfile, "--adapter", "caddyfile"], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env.PATH,
      HOME: home,
      XDG_DATA_HOME: home,
      XDG_CONFIG_HOME: home,
      PUBLIC_HOST: host,
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

  const url = `https://${host}`;
  const authorityFile = join(home, "caddy/pki/authorities/local/root.crt");
  try {
    await eventually(() => {
      if (child.exitCode !== null) throw new Error("Caddy ended");
      return existsSync(authorityFile) && output.includes("serving initial configuration");
    }, START_WITHIN_MS);
    const authority = readFileSync(authorityFile, "utf8");
    return {
      url,
      authority,
      authorityFile,
      ask: (path, options = {}) => askOverTls(new URL(path, url), authority, options),
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

export function askOverTls(
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
