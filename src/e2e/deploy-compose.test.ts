import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { makeTempDir } from "../testing/temp-dir.ts";
import { toolsMissing } from "../testing/tools.ts";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "../..");
const COMPOSE_FILE = join(ROOT, "docker-compose.yml");
const missing = toolsMissing(["docker-compose"], Boolean(process.env.CI));

/** What the compose tool makes of the file beside such an .env; versions 1 and 2 print it differently. */
async function readByTool(dotEnv: string): Promise<string> {
  const folder = await makeTempDir();
  const envFile = join(folder.path, "env");
  writeFileSync(envFile, dotEnv);
  const args = ["--env-file", envFile, "--project-directory", ROOT, "-f", COMPOSE_FILE, "config"];
  const { stdout } = await run("docker-compose", args, { env: { PATH: process.env.PATH } }).finally(
    folder.remove,
  );
  return stdout;
}

describe.skipIf(missing)(`docker-compose.yml${missing ? ` (skipped: ${missing})` : ""}`, () => {
  it("is taken by the compose tool with a site's name", async () => {
    const understood = await readByTool("PUBLIC_HOST=vpn.example.com\n");
    expect(understood).toMatch(/^ +PUBLIC_HOST: vpn\.example\.com$/m);
    expect(understood.match(/^ +network_mode: host$/gm)).toHaveLength(2);
    expect(understood).toContain(join(ROOT, "data"));
  });

  it("asks for that name where there is none", async () => {
    await expect(readByTool("")).rejects.toMatchObject({
      stderr: expect.stringContaining("PUBLIC_HOST=<your domain> into .env"),
    });
  });
});

/** One service's lines, without comments. */
function service(name: string): string {
  const text = readFileSync(COMPOSE_FILE, "utf8").replace(/^ *#.*\n/gm, "");
  const [, lines] = new RegExp(`^ {2}${name}:\\n((?: {4,}.*\\n|\\n)+)`, "m").exec(text) ?? [];
  if (lines === undefined) throw new Error(`docker-compose.yml has no service ${name}`);
  return lines;
}

/** The items of a service's list, in brackets or one a line. */
function list(lines: string, key: string): string[] {
  const [, bracketed] = new RegExp(`^ {4}${key}: \\[(.*)\\]$`, "m").exec(lines) ?? [];
  if (bracketed !== undefined) return bracketed.split(", ").map((item) => item.replaceAll('"', ""));
  const [, block = ""] = new RegExp(`^ {4}${key}:\\n((?: {6}- .*\\n)+)`, "m").exec(lines) ?? [];
  return [...block.matchAll(/^ {6}- (.*)$/gm)].map(([, item = ""]) => item);
}

describe("the services", () => {
  it("the daemon is on the host's network, has two capabilities, and can write its data alone", () => {
    const daemon = service("europa-node");
    expect(list(daemon, "cap_drop")).toEqual(["ALL"]);
    expect(list(daemon, "cap_add")).toEqual(["NET_ADMIN", "DAC_OVERRIDE"]);
    expect(list(daemon, "security_opt")).toEqual(["no-new-privileges:true"]);
    expect(list(daemon, "volumes")).toEqual([
      "./config:/etc/europa-node:ro",
      "./secrets:/etc/europa-node/secret:ro",
      "/etc/wireguard:/etc/wireguard:ro",
      "./data:/var/lib/europa-node",
    ]);
    for (const line of ["network_mode: host", "read_only: true", "restart: unless-stopped"]) {
      expect(daemon).toContain(`    ${line}\n`);
    }
    expect(daemon).toMatch(/^ {8}max-size: 10m$/m);
    expect(daemon).not.toMatch(/privileged|ports:/);
  });

  it("the daemon has longer to end than it takes", () => {
    const [, graceSeconds] = /stop_grace_period: (\d+)s/.exec(service("europa-node")) ?? [];
    const program = readFileSync(join(ROOT, "src/cli/run-daemon.ts"), "utf8");
    const [, shutdownMs] = /SHUTDOWN_WITHIN_MS = ([\d_]+);/.exec(program) ?? [];
    expect(Number(graceSeconds) * 1000).toBeGreaterThan(Number(shutdownMs?.replaceAll("_", "")));
  });

  it("Caddy stands beside it, of one version, with our Caddyfile", () => {
    const caddy = service("caddy");
    expect(caddy).toMatch(/^ {4}image: caddy:\d+\.\d+\S*$/m);
    expect(list(caddy, "cap_drop")).toEqual(["ALL"]);
    expect(list(caddy, "volumes")).toEqual([
      "./Caddyfile:/etc/caddy/Caddyfile:ro",
      "caddy-data:/data",
      "caddy-config:/config",
    ]);
    for (const line of ["network_mode: host", "read_only: true", "restart: unless-stopped"]) {
      expect(caddy).toContain(`    ${line}\n`);
    }
  });
});
