import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Caddy, type CaddyOptions, startCaddy } from "./caddy.ts";
import { linkToThisHost } from "./host-link.ts";
import { startMint, type TestMint } from "./mint.ts";
import { type NameServer, startNameServer } from "./name-server.ts";
import { inNamespace } from "./namespace-tools.ts";
import { createOperator, type Ended, type Operator } from "./operator.ts";
import { createOperatorHost, type OperatorHost } from "./operator-host.ts";
import { startRelay, type TestRelay } from "./relay.ts";
import { makeTempDir } from "./temp-dir.ts";
import { wireguardPublicKey } from "./wireguard-keys.ts";

export const PUBLIC_NAME = "vpn.example.com";
/** Of the operator's host, see `createOperatorHost`. */
export const PUBLIC_ADDRESS = "203.0.113.5";

/** One entry of `doctor --json`. */
export interface CheckResult {
  name: string;
  status: "ok" | "warn" | "fail" | "unseen";
  seen: string;
  mend: string | null;
}

/** A host as README.md sets it up: `wg-up.sh`, Caddy, the daemon; DNS, relays and a mint are elsewhere. */
export interface DoctorHost {
  host: OperatorHost;
  operator: Operator;
  relay: TestRelay;
  otherRelay: TestRelay;
  /** Of this machine, as the host sees it. */
  hostAddress: string;
  mint: TestMint;
  names: NameServer;
  /** PEM file of whoever signs the proxy's certificates. */
  authorityFile: string;
  /** Starts Caddy in the place of the one before; undefined: none any more. */
  proxy(options: Pick<CaddyOptions, "changes" | "publicHost"> | undefined): Promise<void>;
  doctor(args?: readonly string[], timeoutMs?: number): Promise<Ended>;
  /** The findings of `doctor --json`. */
  look(): Promise<CheckResult[]>;
  onHost(line: string): Promise<string>;
  destroy(): Promise<void>;
}

export function readChecks({ stdout, stderr }: Ended): CheckResult[] {
  try {
    return (JSON.parse(stdout) as { checks: CheckResult[] }).checks;
  } catch (cause) {
    throw new Error(`not what doctor --json prints:\n${stdout}${stderr}`, { cause });
  }
}

export async function openDoctorHost(tag: string): Promise<DoctorHost> {
  const closing: (() => Promise<unknown>)[] = [];
  async function destroy(): Promise<void> {
    for (const close of closing.splice(0).reverse()) await close();
  }
  async function kept<T>(opening: Promise<T>, close: (part: T) => Promise<unknown>): Promise<T> {
    const part = await opening;
    closing.push(() => close(part));
    return part;
  }
  try {
    return await open();
  } catch (error) {
    await destroy();
    throw error;
  }

  async function open(): Promise<DoctorHost> {
    const host = await kept(createOperatorHost(tag), (made) => made.destroy());
    const namespace = host.namespaceOf("host");
    const { hostAddress } = await linkToThisHost(namespace, `eu-${tag}`);
    const names = await kept(startNameServer(hostAddress), (made) => made.stop());
    names.records.set(PUBLIC_NAME, [PUBLIC_ADDRESS]);
    await writeFile(join(host.ownEtc, "resolv.conf"), `nameserver ${hostAddress}\n`);
    await writeFile(join(host.ownEtc, "hosts"), "127.0.0.1 localhost\n");
    await host.startServices([22, 25, 53]);
    await host.wgUp([], { SUBNET6: "fd66:42::/64" });

    const relay = await kept(startRelay({ host: hostAddress }), (made) => made.stop());
    const otherRelay = await kept(startRelay({ host: hostAddress }), (made) => made.stop());
    const mint = await kept(startMint({ host: hostAddress }), (made) => made.stop());
    const home = await kept(makeTempDir(), (made) => made.remove());
    const privateKey = readFileSync(host.keyFile, "utf8").trim();
    const operator = await kept(
      createOperator({
        relays: [relay.url, otherRelay.url],
        mints: [mint.url],
        prices: [{ amount: 10, unit: "hour" }],
        wireguard: "kernel",
        interfaceName: host.interfaceName,
        serverKeys: { privateKey, publicKey: wireguardPublicKey(privateKey) },
        endpoint: { host: PUBLIC_NAME, port: 51820 },
        publicHost: PUBLIC_NAME,
        commandPrefix: inNamespace(namespace),
      }),
      (made) => made.destroy(),
    );
    let caddy: Caddy | undefined;
    closing.push(async () => caddy?.stop());

    async function proxy(options: Pick<CaddyOptions, "changes" | "publicHost"> | undefined): Promise<void> {
      await caddy?.stop();
      caddy = undefined;
      if (options === undefined) return;
      const around = { commandPrefix: inNamespace(namespace), folder: home.path };
      caddy = await startCaddy(operator.url, { publicHost: PUBLIC_NAME, ...around, ...options });
    }
    await proxy({});
    const authorityFile = join(home.path, "caddy/pki/authorities/local/root.crt");
    operator.writeConfig({
      environment: { NODE_EXTRA_CA_CERTS: authorityFile, CURL_CA_BUNDLE: authorityFile },
    });

    const doctor = (args: readonly string[] = [], timeoutMs = 60_000) =>
      operator.command(["doctor", ...args], timeoutMs);
    return {
      host,
      operator,
      relay,
      otherRelay,
      hostAddress,
      mint,
      names,
      authorityFile,
      proxy,
      doctor,
      look: async () => readChecks(await doctor(["--json"])),
      onHost: (line) => host.exec("host", ["sh", "-c", line]),
      destroy,
    };
  }
}
