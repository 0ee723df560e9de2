import { spawn } from "node:child_process";
import { once } from "node:events";
import type { BuyerPlace, TunnelWorld } from "./namespaces.ts";

export interface PingCount {
  transmitted: number;
  received: number;
}

export interface RunningPing {
  /** Ends it and counts. */
  stop(): Promise<PingCount>;
}

/** Ten packets a second to `address` from a buyer, until stopped. Resolves with the first answer. */
export function startPing(
  world: TunnelWorld,
  address: string,
  buyer: BuyerPlace = "buyer1",
): Promise<RunningPing> {
  return startPingBehind(world.commandPrefix(buyer), address);
}

/** The same behind any wrapper, with what else `ping` is to be told. */
export async function startPingBehind(
  commandPrefix: readonly string[],
  ...told: string[]
): Promise<RunningPing> {
  const [wrapper = "", ...args] = [...commandPrefix, "ping", "-i", "0.1", "-w", "60", ...told];
  const child = spawn(wrapper, args, { stdio: ["ignore", "pipe", "ignore"] });
  const ended = once(child, "close");
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  const answered = () => output.includes("bytes from");
  while (!answered()) {
    const more = await Promise.race([once(child.stdout, "data"), ended.then(() => undefined)]);
    if (more === undefined) throw new Error("no packet comes back");
  }
  return {
    async stop() {
      // Right after an answer, so that none is still under way. It counts them in words when interrupted.
      await Promise.race([once(child.stdout, "data"), ended]);
      child.kill("SIGINT");
      await ended;
      const counted = /(\d+) packets transmitted, (\d+) received/.exec(output);
      if (!counted) throw new Error("ping did not count its packets");
      return { transmitted: Number(counted[1]), received: Number(counted[2]) };
    },
  };
}
