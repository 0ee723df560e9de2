import { readFile } from "node:fs/promises";
import { z } from "zod";
import { type NftRuleset, parseRuleset } from "./nft-rules.ts";
import { CommandFailure, createRun, type Run } from "./run.ts";

export interface HostAddress {
  interfaceName: string;
  family: 4 | 6;
  address: string;
  prefixLength: number;
  /** As `ip` has it: `global`, `link`, `host`. */
  scope: string;
}

/** What this host's network looks like. Reads only; throws `CommandFailure`. */
export interface Host {
  run: Run;
  addresses(): Promise<HostAddress[]>;
  /** The interfaces of the default routes, without the tunnels' own. */
  defaultInterfaces(family: 4 | 6, tunnels: string): Promise<string[]>;
  ruleset(): Promise<NftRuleset>;
  forwards6(): Promise<boolean>;
}

const addressList = z.array(
  z.object({
    ifname: z.string(),
    addr_info: z
      .array(
        z.object({
          family: z.string(),
          local: z.string().optional(),
          prefixlen: z.number(),
          scope: z.string(),
        }),
      )
      .default([]),
  }),
);
const routeList = z.array(z.object({ dst: z.string(), dev: z.string().optional() }));

export function createHost(run: Run = createRun({ timeoutMs: 8_000 })): Host {
  return {
    run,
    async addresses() {
      const links = read(addressList, await run("ip", ["-j", "addr", "show"]));
      return links.flatMap(({ ifname, addr_info }) =>
        addr_info.flatMap(({ family, local, prefixlen, scope }): HostAddress[] =>
          local === undefined
            ? []
            : [
                {
                  interfaceName: ifname,
                  family: family === "inet6" ? 6 : 4,
                  address: local,
                  prefixLength: prefixlen,
                  scope,
                },
              ],
        ),
      );
    },
    async defaultInterfaces(family, tunnels) {
      const printed = await run("ip", [`-${family}`, "-j", "route", "show", "default"]);
      const routes = read(routeList, printed);
      const names = routes.flatMap(({ dst, dev }) => (dst === "default" && dev !== undefined ? [dev] : []));
      return [...new Set(names)].filter((name) => name !== tunnels && name !== "lo");
    },
    async ruleset() {
      const ruleset = parseRuleset(await run("nft", ["-j", "list", "ruleset"]));
      if (ruleset === undefined) throw new CommandFailure("nft", 0, "failed");
      return ruleset;
    },
    async forwards6() {
      return (await readFile("/proc/sys/net/ipv6/conf/all/forwarding", "utf8")).trim() !== "0";
    },
  };
}

/** `ip -j` prints nothing, or `[{}]`, where there is nothing to list. */
function read<T>(schema: z.ZodType<T>, printed: string): T {
  try {
    const list: unknown = JSON.parse(printed.trim() === "" ? "[]" : printed);
    return schema.parse(
      Array.isArray(list) ? list.filter((item) => Object.keys(item as object).length > 0) : list,
    );
  } catch {
    throw new CommandFailure("ip", 0, "failed");
  }
}
