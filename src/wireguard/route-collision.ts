import { z } from "zod";
import { cidrRange } from "../tunnels/subnet.ts";
import { createRun, type Run } from "./run.ts";

const routesSchema = z.array(z.object({ dst: z.string(), dev: z.string().optional() }));

/**
 * Routes of the host, by another interface, that overlap the tunnels' subnet: packets for buyers would go there, or
 * the host's own network would vanish behind the tunnels. Undefined when the host cannot be asked.
 */
export async function collidingRoutes(
  interfaceName: string,
  subnetCidr: string,
  run: Run = createRun(),
): Promise<string[] | undefined> {
  const subnet = cidrRange(subnetCidr);
  const printed = await run("ip", ["-4", "-j", "route", "show", "table", "main"]).catch(() => "");
  const routes = routesSchema.safeParse(parsed(printed));
  if (!routes.success || subnet === undefined) return undefined;
  return routes.data.flatMap(({ dst, dev = "no interface" }) => {
    const range = dst === "default" || dev === interfaceName ? undefined : cidrRange(dst);
    const overlaps = range !== undefined && range.from <= subnet.to && subnet.from <= range.to;
    return overlaps ? [`${dst} (${dev})`] : [];
  });
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
