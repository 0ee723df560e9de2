import type { InterfaceTrouble, InterfaceView } from "../tunnels/ports.ts";
import { parseDump } from "./dump.ts";
import { troubleOf } from "./interface-trouble.ts";
import { CommandFailure, type Run } from "./run.ts";

/** The interface as it is now, or why it cannot be seen. */
export async function lookOnce(
  run: Run,
  interfaceName: string,
): Promise<{ view: InterfaceView } | { trouble: InterfaceTrouble }> {
  try {
    const view = parseDump(await run("wg", ["show", interfaceName, "dump"]));
    if (view !== undefined) return { view };
    return { trouble: troubleOf(new CommandFailure("wg", 0, "failed"), interfaceName) };
  } catch (error) {
    return { trouble: troubleOf(error, interfaceName) };
  }
}
