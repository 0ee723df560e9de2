import { infoRequests } from "./info-lane.ts";
import { interfaceKeeping } from "./interface-lane.ts";
import type { Lane } from "./measurement.ts";
import { startAndMemory } from "./process-lane.ts";
import { nutshellSales, ownMintSales } from "./sale-lane.ts";
import { tunnels } from "./tunnel-lane.ts";

/** In the order of the table. A new one is a file of its own and a line here. */
export const lanes: readonly Lane[] = [
  ownMintSales,
  nutshellSales(process.env.EUROPA_TEST_NUTSHELL),
  infoRequests,
  startAndMemory,
  interfaceKeeping,
  tunnels,
];
