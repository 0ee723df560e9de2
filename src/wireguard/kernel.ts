import { type Enforcement, EnforcementError, type InterfaceView } from "../tunnels/ports.ts";
import { cidrRange } from "../tunnels/subnet.ts";
import { createDumpReader } from "./dump.ts";
import { findTrouble, troubleOf } from "./interface-trouble.ts";
import { isInterfaceName } from "./peer-guard.ts";
import { inBatches, type PeerStep, planSteps } from "./peer-steps.ts";
import { CommandFailure, createRun, type Run, withPrefix } from "./run.ts";

export interface KernelEnforcementOptions {
  interfaceName: string;
  serverPubkey: string;
  /** Where the interface's own address is expected: `10.66.42.0/24`. */
  subnetCidr: string;
  /** Where its IPv6 address is expected: `fd66:42::/64`. */
  subnet6?: string | undefined;
  run?: Run;
  /** Put before every command, such as `["ip", "netns", "exec", "operator"]`. */
  commandPrefix?: readonly string[];
}

/** Well below the kernel's limits: 128 KiB for one argument, about 2 MiB for all. */
const MAX_ARGUMENT_BYTES = 96 * 1024;

/**
 * The interface itself, through `wg`, whether the kernel or wireguard-go stands behind it. One `wg` runs at a
 * time. A removal that `wg` will not do is returned as `rejected` too. Throws `TypeError` at once for a name or subnet that cannot be one.
 */
export function createKernelEnforcement(options: KernelEnforcementOptions): Enforcement {
  const { interfaceName, serverPubkey, subnetCidr, subnet6, run = createRun(), commandPrefix = [] } = options;
  if (!isInterfaceName(interfaceName)) throw new TypeError("not a network interface's name");
  if (cidrRange(subnetCidr) === undefined) throw new TypeError("not an IPv4 subnet such as 10.66.42.0/24");
  const runPrefixed = withPrefix(run, commandPrefix);
  const ownNamespace = commandPrefix.length === 0;
  const wg = (args: readonly string[]) => runPrefixed("wg", args);
  const oneAtATime = createQueue();
  const readDump = createDumpReader();

  async function look(): Promise<InterfaceView> {
    const dump = await wg(["show", interfaceName, "dump"]).catch(raise);
    return readDump(dump) ?? raise(new CommandFailure("wg", 0, "failed"));
  }

  async function takes(batch: PeerStep[]): Promise<boolean> {
    try {
      await wg(["set", interfaceName, ...batch.flatMap((step) => step.args)]);
      return true;
    } catch (error) {
      if (error instanceof CommandFailure && error.fault === "failed") return false;
      return raise(error);
    }
  }

  /** The keys that `wg` takes in no company, found by halving, in order, what it would not take whole. */
  async function findRejected(batch: PeerStep[]): Promise<string[]> {
    const [only, ...others] = batch;
    if (only === undefined) return [];
    if (others.length === 0) return [only.publicKey];
    const middle = Math.ceil(batch.length / 2);
    const rejected: string[] = [];
    for (const half of [batch.slice(0, middle), batch.slice(middle)]) {
      if (!(await takes(half))) rejected.push(...(await findRejected(half)));
    }
    return rejected;
  }

  async function applySteps(steps: PeerStep[]): Promise<string[]> {
    const rejected: string[] = [];
    for (const batch of inBatches(steps, MAX_ARGUMENT_BYTES)) {
      if (await takes(batch)) continue;
      // A peer can be to blame only on an interface that answers.
      await look();
      rejected.push(...(await findRejected(batch)));
    }
    return rejected;
  }

  function raise(error: unknown): never {
    throw new EnforcementError(troubleOf(error, interfaceName), { cause: error });
  }

  return {
    look: () => oneAtATime(look),
    apply: (change) =>
      oneAtATime(async () => {
        const { steps, rejected } = planSteps(change, serverPubkey);
        return { rejected: [...rejected, ...(await applySteps(steps))] };
      }),
    trouble: (view) =>
      findTrouble({ interfaceName, serverPubkey, subnetCidr, subnet6, run: runPrefixed, ownNamespace }, view),
  };
}

function createQueue(): <T>(task: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const result = last.then(task);
    last = result.catch(() => undefined);
    return result;
  };
}
