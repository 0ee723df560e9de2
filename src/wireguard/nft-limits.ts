import { EnforcementError, type InterfaceTrouble, type Limits, type LimitsView } from "../tunnels/ports.ts";
import { printChange } from "./nft-script.ts";
import { noTable, type TableShape, tableName } from "./nft-table.ts";
import { nothing, parseCounts, parseTable } from "./nft-view.ts";
import { CommandFailure, createRun, type Run, withPrefix } from "./run.ts";

export interface NftOptions {
  interfaceName: string;
  run?: Run;
  /** Put before every command, such as `["ip", "netns", "exec", "operator"]`. */
  commandPrefix?: readonly string[];
}

export interface NftLimitsOptions extends NftOptions, TableShape {}

/** Limits in one nftables table of ours; no other is touched. Throws `TypeError` at once for a name that cannot be one. */
export function createNftLimits(options: NftLimitsOptions): Limits {
  const table = tableName(options.interfaceName);
  const nft = nftOf(options);

  async function look(): Promise<LimitsView> {
    try {
      return parseTable(await nft(["-j", "list", "table", "inet", table]), options);
    } catch (error) {
      if (error instanceof CommandFailure && error.fault === "no-object") return nothing;
      throw asTrouble(error);
    }
  }

  return {
    look,
    /** A terse list of one table reads every set all the same, one of the whole ruleset does not. */
    async lookAtCounts() {
      try {
        return parseCounts(await nft(["-t", "-j", "list", "ruleset", "inet"]), options);
      } catch {
        // What others have there may be beyond this nft.
        return look();
      }
    },
    async apply(change) {
      try {
        await nft(["-f", "-"], printChange(options, change));
      } catch (error) {
        throw asTrouble(error);
      }
    },
  };
}

/** Whether this host could hold limits: the rights, and all that the kernel has to have. Changes nothing. */
export async function nftTrouble(options: NftLimitsOptions): Promise<InterfaceTrouble | undefined> {
  const data = { leftMs: 1000, totalBytes: 1, usedBytes: 0 };
  const sample = {
    name: "sample",
    addresses: ["192.0.2.1", "2001:db8::1"],
    time: { leftMs: 1000 },
    data,
    rateMbit: 1,
  };
  const set = [{ ...sample, counts: "anew" as const }];
  const change = { rebuild: true, set, remove: [], foreignCidrs: ["192.0.2.0/24", "2001:db8::/32"] };
  try {
    await nftOf(options)(["-c", "-f", "-"], printChange(options, change));
    return undefined;
  } catch (error) {
    return asTrouble(error).trouble;
  }
}

/** Takes our table away (rule 38); nothing to do where there is none. Throws `EnforcementError`. */
export async function removeNftLimits(options: NftOptions): Promise<void> {
  await nftOf(options)(["-f", "-"], noTable(options.interfaceName)).catch((error: unknown) => {
    throw asTrouble(error);
  });
}

function nftOf({ run = createRun(), commandPrefix = [] }: NftOptions) {
  const runPrefixed = withPrefix(run, commandPrefix);
  return (args: readonly string[], input?: string) => runPrefixed("nft", args, input);
}

function asTrouble(error: unknown): EnforcementError {
  return new EnforcementError({ code: "no-limits", message: inWords(error) }, { cause: error });
}

function inWords(error: unknown): InterfaceTrouble["message"] {
  switch (error instanceof CommandFailure ? error.fault : "failed") {
    case "not-found":
      return "nft cannot be run, which keeps tunnels to their limits; install nftables (apt-get install nftables)";
    case "no-permission":
      return "no permission to use nft, which keeps tunnels to their limits; run as root or with the capability CAP_NET_ADMIN";
    case "timed-out":
      return "nft did not end in time; see what holds it up: nft list tables";
    default:
      return "nft does not take the tunnels' limits; try by hand: nft list ruleset, and see whether the kernel has nf_tables";
  }
}
