import {
  addWireguardLink,
  exec,
  ip,
  removeWireguardLink,
  type WireguardBackend,
  withSecretFile,
} from "./namespace-tools.ts";

interface ClientConf {
  addresses: string[];
  allowedIps: string[];
  mtu: string | undefined;
  /** What `wg setconf` takes: without the keys that only wg-quick knows. */
  wgConf: string;
}

const WG_QUICK_KEYS = new Set(["address", "dns", "mtu", "table", "preup", "postup", "predown", "postdown"]);

/** Reads a buyer's .conf (wg-quick(8)) and fills in his private key, as he would by hand. */
export function readClientConf(confText: string, privateKey: string): ClientConf {
  const conf: ClientConf = { addresses: [], allowedIps: [], mtu: undefined, wgConf: "" };
  for (const line of confText.split(/\r?\n/)) {
    const [, key = "", value = ""] = /^\s*(\w+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    const name = key.toLowerCase();
    if (name === "address") conf.addresses.push(...value.split(/\s*,\s*/));
    if (name === "allowedips") conf.allowedIps.push(...value.split(/\s*,\s*/));
    if (name === "mtu") conf.mtu = value;
    if (WG_QUICK_KEYS.has(name)) continue;
    conf.wgConf += name === "privatekey" ? `PrivateKey = ${privateKey}\n` : `${line}\n`;
  }
  return conf;
}

/**
 * Brings a .conf up as wg-quick would. The routes need no firewall mark: the endpoint is on the link, and
 * that is more specific than the tunnel's default route.
 */
export async function bringUpClient(
  namespace: string,
  interfaceName: string,
  backend: WireguardBackend,
  conf: ClientConf,
): Promise<void> {
  await removeWireguardLink(namespace, interfaceName);
  await addWireguardLink(namespace, interfaceName, backend);
  await withSecretFile(conf.wgConf, (path) => exec(namespace, ["wg", "setconf", interfaceName, path]));
  for (const address of conf.addresses) await ip(namespace, `addr add ${address} dev ${interfaceName}`);
  if (conf.mtu !== undefined) await ip(namespace, `link set dev ${interfaceName} mtu ${conf.mtu}`);
  await ip(namespace, `link set up dev ${interfaceName}`);
  for (const destination of conf.allowedIps) {
    const route = ip(namespace, `route add ${destination} dev ${interfaceName}`);
    // A host without IPv6 has nothing to route there.
    await (destination.includes(":") ? route.catch(() => undefined) : route);
  }
}
