import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { createRun } from "../wireguard/run.ts";

export type WireguardBackend = "kernel" | "wireguard-go";

export const run = createRun({ timeoutMs: 30_000 });

export const inNamespace = (namespace: string): string[] => ["ip", "netns", "exec", namespace];

export function exec(namespace: string, argv: readonly string[]): Promise<string> {
  return run("ip", ["netns", "exec", namespace, ...argv]);
}

/** `ip -n <namespace> …`, its words in one string. */
export function ip(namespace: string, words: string): Promise<string> {
  return run("ip", ["-n", namespace, ...words.split(" ")]);
}

const namespaceList = z.array(z.object({ name: z.string() }));

/** Kills what runs in every namespace whose name starts so, and removes them with all their links. */
export async function removeNamespaces(namePrefix: string): Promise<void> {
  const answer = await run("ip", ["-j", "netns", "list"]);
  const all = namespaceList.parse(JSON.parse(answer === "" ? "[]" : answer));
  for (const { name } of all.filter((namespace) => namespace.name.startsWith(namePrefix))) {
    for (const pid of (await run("ip", ["netns", "pids", name])).split("\n").filter(Boolean))
      kill(Number(pid));
    await run("ip", ["netns", "del", name]);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself since it was listed.
  }
}

/** wireguard-go's control socket is shared by all namespaces: an interface's name must be unique on the host. */
export const controlSocket = (interfaceName: string) => `/var/run/wireguard/${interfaceName}.sock`;

export async function addWireguardLink(
  namespace: string,
  interfaceName: string,
  backend: WireguardBackend,
): Promise<void> {
  if (backend === "kernel") {
    await ip(namespace, `link add ${interfaceName} type wireguard`);
    return;
  }
  // It goes to the background and would hold a pipe open, so it gets none.
  const [wrapper = "", ...args] = [...inNamespace(namespace), "wireguard-go", interfaceName];
  const child = spawn(wrapper, args, { stdio: "ignore" });
  const [exitCode] = await once(child, "exit");
  if (exitCode !== 0) throw new Error(`wireguard-go ended with exit code ${exitCode}`);
}

/** Nothing to do when there is none. Returns once wireguard-go has gone too, so that the name is free again. */
export async function removeWireguardLink(namespace: string, interfaceName: string): Promise<void> {
  await ip(namespace, `link del ${interfaceName}`).catch(() => undefined);
  for (let waitedMs = 0; existsSync(controlSocket(interfaceName)) && waitedMs < 3_000; waitedMs += 20) {
    await sleep(20);
  }
}

/** A file that only root reads, for as long as `use` takes: keys do not go through an argv. */
export async function withSecretFile<T>(text: string, use: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "europa-secret-"));
  try {
    const path = join(folder, "secret");
    await writeFile(path, text, { mode: 0o600 });
    return await use(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
