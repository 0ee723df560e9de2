import { createRun, type Run } from "./run.ts";

/** The interface's private key in base64; undefined where there is none, or this user may not have it. */
export async function readPrivateKey(
  interfaceName: string,
  run: Run = createRun(),
): Promise<string | undefined> {
  try {
    const key = (await run("wg", ["show", interfaceName, "private-key"])).trim();
    return /^[A-Za-z0-9+/]{43}=$/.test(key) ? key : undefined;
  } catch {
    return undefined;
  }
}

/** As a backup wants it: null where there is no interface. */
export async function interfaceKeyOf(wireguard: {
  mode: "kernel" | "in-memory";
  interface: string;
}): Promise<string | undefined | null> {
  return wireguard.mode === "kernel" ? readPrivateKey(wireguard.interface) : null;
}
