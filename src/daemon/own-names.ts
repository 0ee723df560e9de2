import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { Logger } from "pino";
import { hostOf } from "../config/addresses.ts";
import type { Config } from "../config/types.ts";

/** Rejects with the resolver's code; what it answers does not matter. */
export type LookUp = (host: string) => Promise<unknown>;

/** Warns of a name in the config that buyers would look up in vain. A resolver that does not answer says nothing. */
export async function warnOfUnknownNames(
  config: Config,
  logger: Logger,
  lookUp: LookUp = lookup,
): Promise<void> {
  const names = [
    { key: "server.public_host", host: hostOf(config.server.publicHost) },
    { key: "wireguard.endpoint_host", host: hostOf(config.wireguard.endpoint) },
  ];
  const asked = new Set<string>();
  for (const { key, host } of names) {
    if (isIP(host) !== 0 || asked.has(host)) continue;
    asked.add(host);
    const code = await lookUp(host).then(
      () => undefined,
      (error: NodeJS.ErrnoException) => error.code,
    );
    if (code !== "ENOTFOUND") continue;
    logger.warn(
      { event: "name-unknown", key },
      `${key}: DNS knows no address of ${host}, so buyers do not reach it; make an A record, or write another name`,
    );
  }
}
