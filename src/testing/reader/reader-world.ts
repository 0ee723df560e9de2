import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { WEB } from "../buyers-targets.ts";
import { eventually } from "../eventually.ts";
import { linkToThisHost } from "../host-link.ts";
import { startMint, type TestMint } from "../mint.ts";
import { exec } from "../namespace-tools.ts";
import { createOperatorHost, type OperatorHost } from "../operator-host.ts";
import { startRelay, type TestRelay } from "../relay.ts";
import { makeTempDir } from "../temp-dir.ts";
import { startWebServer } from "../web-server.ts";
import { forwardPort } from "./forward-port.ts";
import { openReaderMachine, type ReaderMachine } from "./reader-machine.ts";

/** A name for which Caddy signs certificates itself. */
export const PUBLIC_HOST = "vpn.local";

type Buyer = "buyer1" | "buyer2";

/** What a reader of the documents needs around him: a host on the internet, a relay, a mint, and buyers. */
export interface ReaderWorld {
  host: OperatorHost;
  machine: ReaderMachine;
  relay: TestRelay;
  mint: TestMint;
  /** Of this process, as the reader's machine sees it. */
  hostAddress: string;
  /** Lets what listens here, on loopback, answer on loopback of the reader's machine too. */
  bringPort(port: number, portThere: number): Promise<void>;
  /** What a buyer gets from a URL of the reader's, over https. */
  ask(
    from: Buyer,
    url: string,
    curlArguments?: readonly string[],
  ): Promise<{ status: number; body: unknown }>;
  /** Types lines on a buyer's machine, which trusts the reader's certificate. */
  typeAsBuyer(from: Buyer, lines: string): Promise<string>;
  destroy(): Promise<void>;
}

export async function openReaderWorld(tag: string): Promise<ReaderWorld> {
  const closing: (() => Promise<unknown>)[] = [];
  async function destroy(): Promise<void> {
    for (const close of closing.splice(0).reverse()) await close();
  }
  try {
    return await open();
  } catch (error) {
    await destroy();
    throw error;
  }

  async function open(): Promise<ReaderWorld> {
    const host = await createOperatorHost(tag);
    closing.push(() => host.destroy());
    const { hostAddress } = await linkToThisHost(host.namespaceOf("host"), `eu-${tag}`);
    const web = await startWebServer(host.namespaceOf("internet"), WEB.v4);
    closing.push(() => web.stop());
    const relay = await startRelay({ host: hostAddress });
    closing.push(() => relay.stop());
    const mint = await startMint({ host: hostAddress });
    closing.push(() => mint.stop());
    for (const buyer of ["buyer1", "buyer2"] as const) {
      const etc = `/etc/netns/${host.namespaceOf(buyer)}`;
      closing.push(() => rm(etc, { recursive: true, force: true }));
      await mkdir(etc, { recursive: true });
      await writeFile(join(etc, "hosts"), `127.0.0.1 localhost\n192.0.2.1 ${PUBLIC_HOST}\n`);
    }
    const machine = await openReaderMachine({
      namespace: host.namespaceOf("host"),
      hosts: `203.0.113.5 ${PUBLIC_HOST}`,
    });
    closing.push(() => machine.stop());
    const folder = await makeTempDir();
    closing.push(() => folder.remove());
    const authorityFile = join(folder.path, "authority.crt");

    /** Caddy's, which stands where the reader's Caddy keeps it. */
    async function saveAuthority(): Promise<string> {
      const there = "cat /var/lib/caddy/pki/authorities/local/root.crt";
      const read = () => machine.typeBeside(there).catch(() => "");
      await eventually(async () => (await read()).includes("END CERTIFICATE"), 60_000);
      await writeFile(authorityFile, await read());
      return authorityFile;
    }
    let authority: Promise<string> | undefined;

    return {
      host,
      machine,
      relay,
      mint,
      hostAddress,
      async bringPort(port, portThere) {
        const forward = await forwardPort({
          from: hostAddress,
          port,
          namespace: host.namespaceOf("host"),
          portThere,
        });
        closing.push(() => forward.stop());
      },
      async ask(from, url, curlArguments = []) {
        authority ??= saveAuthority();
        const answer = await exec(host.namespaceOf(from), [
          ...["curl", "-q", "--noproxy", "*", "--silent", "--show-error", "--max-time", "60"],
          ...["--cacert", await authority, "--write-out", "\n%{http_code}", ...curlArguments, url],
        ]);
        const end = answer.lastIndexOf("\n");
        return { status: Number(answer.slice(end + 1)), body: JSON.parse(answer.slice(0, end)) };
      },
      async typeAsBuyer(from, lines) {
        authority ??= saveAuthority();
        const trusting = ["env", `CURL_CA_BUNDLE=${await authority}`, "bash", "--norc", "-ec", lines];
        return exec(host.namespaceOf(from), trusting);
      },
      destroy,
    };
  }
}
