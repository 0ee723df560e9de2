import type { Logger } from "pino";
import type { Mints } from "../cashu/mints.ts";

/** Asks the mints as `mints.refresh`, and says of each when it stops answering and when it answers again. */
export function createMintWatch(mints: Pick<Mints, "all" | "refresh">, logger: Logger) {
  const troubled = new Set<string>();

  function look(url: string, trouble: string | undefined): void {
    if (trouble !== undefined && !troubled.has(url)) {
      troubled.add(url);
      logger.warn(
        { event: "mint-trouble", mint: url, trouble },
        "ecash of this mint is not taken until it answers",
      );
    } else if (trouble === undefined && troubled.delete(url)) {
      logger.info({ event: "mint-well", mint: url }, "the mint answers again");
    }
  }

  return {
    refresh: async (): Promise<void> => {
      await mints.refresh();
      for (const mint of mints.all()) look(mint.url, mint.status().trouble);
    },
  };
}
