import { mkdir, mkdtemp, rm, rmdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRun, type Run } from "./run.ts";

/** A network namespace with nothing in it but one end of a tunnel. */
export interface TunnelRoom {
  /** Brings the tunnel up. `conf` is a whole one: with its private key, and an address as its endpoint. */
  bringUp(conf: string): Promise<void>;
  /** Unix seconds of the last handshake, 0 for none. */
  lastHandshake(): Promise<number>;
  /** The page, through the tunnel; `address` is asked in the place of what the name servers say. Throws `CommandFailure`. */
  fetch(url: string, address?: string): Promise<string>;
  /** Takes all of it away again. */
  remove(): Promise<void>;
}

const FETCH_WITHIN_SECONDS = 15;
const MAX_PAGE_BYTES = 1024 * 1024;

/**
 * Makes it, as root. The WireGuard interface begins in this host's own namespace, where its UDP socket stays, and is
 * moved into the room: the tunnel is the only way out of there. Throws `CommandFailure`, with nothing left behind.
 */
export async function openTunnelRoom(
  name: string,
  run: Run = createRun({ timeoutMs: (FETCH_WITHIN_SECONDS + 5) * 1000 }),
): Promise<TunnelRoom> {
  const inRoom = (argv: readonly string[]) => run("ip", ["netns", "exec", name, ...argv]);
  const folder = await mkdtemp(join(tmpdir(), "europa-doctor-"));
  const resolver = join("/etc/netns", name);

  async function close(): Promise<void> {
    await run("ip", ["-n", name, "link", "del", name]).catch(() => undefined);
    await run("ip", ["link", "del", name]).catch(() => undefined);
    await run("ip", ["netns", "del", name]).catch(() => undefined);
    // A wireguard-go that did not end by itself leaves it.
    await rm(join("/var/run/wireguard", `${name}.sock`), { force: true });
  }

  async function remove(): Promise<void> {
    await close();
    for (const path of [folder, resolver]) await rm(path, { recursive: true, force: true });
    // Stays where another namespace has something in it.
    await rmdir("/etc/netns").catch(() => undefined);
  }

  async function open(): Promise<void> {
    await run("ip", ["netns", "add", name]);
    await addInterface(run, name);
    await run("ip", ["link", "set", name, "netns", name]);
    await run("ip", ["-n", name, "link", "set", "up", "dev", "lo"]);
  }

  async function configure(read: ReadConf): Promise<void> {
    const path = join(folder, "conf");
    await writeFile(path, read.wgConf, { mode: 0o600 });
    await inRoom(["wg", "setconf", name, path]);
  }

  await open().catch(async (error: unknown) => {
    await remove();
    throw error;
  });
  return {
    async bringUp(conf) {
      const read = readConf(conf);
      // wireguard-go that was moved to another namespace now and then ends when it is configured: another one takes it.
      await configure(read).catch(async () => {
        await close();
        await open();
        await configure(read);
      });
      for (const address of read.addresses)
        await run("ip", ["-n", name, "addr", "add", address, "dev", name]);
      if (read.mtu !== undefined) await run("ip", ["-n", name, "link", "set", "mtu", read.mtu, "dev", name]);
      await run("ip", ["-n", name, "link", "set", "up", "dev", name]);
      for (const route of read.routes) await run("ip", ["-n", name, "route", "add", route, "dev", name]);
      await mkdir(resolver, { recursive: true });
      await writeFile(
        join(resolver, "resolv.conf"),
        read.dns.map((server) => `nameserver ${server}\n`).join(""),
      );
    },
    async lastHandshake() {
      const printed = await inRoom(["wg", "show", name, "latest-handshakes"]);
      return Number(/\t(\d+)/.exec(printed)?.[1] ?? 0);
    },
    fetch(url, address) {
      const { hostname, port, protocol } = new URL(url);
      const usual = protocol === "https:" ? "443" : "80";
      const resolve = address === undefined ? [] : ["--resolve", `${hostname}:${port || usual}:${address}`];
      return inRoom([
        ...["curl", "-q", "--noproxy", "*", "--silent", "--fail", "--max-filesize", String(MAX_PAGE_BYTES)],
        ...["--max-time", String(FETCH_WITHIN_SECONDS), ...resolve, "--url", url],
      ]);
    },
    remove,
  };
}

/** By the kernel, or by wireguard-go where the kernel has none, which puts itself into the background. */
async function addInterface(run: Run, name: string): Promise<void> {
  try {
    await run("ip", ["link", "add", name, "type", "wireguard"]);
  } catch (error) {
    // Its background half would hold a pipe open.
    await run("sh", ["-c", 'exec wireguard-go "$1" </dev/null >/dev/null 2>&1', "sh", name]).catch(() => {
      throw error;
    });
  }
}

interface ReadConf {
  addresses: string[];
  dns: string[];
  routes: string[];
  mtu: string | undefined;
  /** What `wg setconf` takes: without the keys that only wg-quick knows. */
  wgConf: string;
}

const WG_QUICK_KEYS = new Set(["address", "dns", "mtu"]);

function readConf(text: string): ReadConf {
  const conf: ReadConf = { addresses: [], dns: [], routes: [], mtu: undefined, wgConf: "" };
  for (const line of text.split(/\r?\n/)) {
    const [, key = "", value = ""] = /^\s*(\w+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    const values = value.split(/\s*,\s*/);
    switch (key.toLowerCase()) {
      case "address":
        conf.addresses = values;
        break;
      case "dns":
        conf.dns = values;
        break;
      case "mtu":
        conf.mtu = value;
        break;
      case "allowedips":
        // A room without an IPv6 address has nothing to route there.
        conf.routes = values.filter((route) => !route.includes(":"));
    }
    if (!WG_QUICK_KEYS.has(key.toLowerCase())) conf.wgConf += `${line}\n`;
  }
  return conf;
}
