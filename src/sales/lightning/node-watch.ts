import type { Logger } from "pino";
import type { LightningNode } from "./ports.ts";

export type NodeWatch = ReturnType<typeof createNodeWatch>;

const notAskedYet = "the Lightning node has not been asked yet";

/** Knows whether the node can sell, and says when it stops and when it can again. */
export function createNodeWatch(node: Pick<LightningNode, "probe">, logger: Logger) {
  let trouble: string | undefined = notAskedYet;

  return {
    /** Why nothing can be sold over Lightning, in words for the operator. */
    trouble: () => trouble,
    /** Never rejects. Answers whether the node's standing has changed. */
    async refresh(): Promise<boolean> {
      const before = trouble;
      trouble = await node.probe();
      if (trouble === before) return false;
      if (trouble !== undefined)
        logger.warn({ event: "node-trouble", trouble }, "nothing is sold over Lightning");
      else if (before !== notAskedYet)
        logger.info({ event: "node-well" }, "the Lightning node answers again");
      return true;
    },
  };
}
