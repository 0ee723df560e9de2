import { existsSync } from "node:fs";
import { ConfigError, EXIT_CONFIG, loadConfig } from "../config.ts";
import { AlreadyRunningError, lockInstance } from "../db/instance-lock.ts";
import { EnforcementError } from "../tunnels/ports.ts";
import { removeNftLimits } from "../wireguard/nft-limits.ts";
import { command } from "./command.ts";
import { EXIT_REFUSED } from "./exit-codes.ts";

export const enforcementOff = command({
  name: "enforcement off",
  group: "Your host",
  summary: "take our nftables table away, for another daemon to take over",
  about: [
    "The table holds tunnels to their time and data, also while the daemon is stopped: who goes back to another daemon",
    "stops this one first, then runs this as root. The next start of this daemon sets the table up again, unless",
    'wireguard.enforcement is "daemon".',
  ],
  exits: {
    0: "no table of ours is there any more",
    [EXIT_REFUSED]: "the daemon runs, or nft does not do it",
    [EXIT_CONFIG]: "the config, which names the interface, is wrong",
  },
  async run(_given, { environment, print, complain }) {
    try {
      const { config } = loadConfig(environment.configPath, environment);
      if (existsSync(config.db.path)) lockInstance(config.db.path).release();
      const { interface: interfaceName } = config.wireguard;
      await removeNftLimits({ interfaceName });
      print(`Nothing in nftables limits the peers of ${interfaceName} any more.`);
      return 0;
    } catch (error) {
      if (error instanceof ConfigError) {
        for (const problem of error.problems) complain(problem);
        return EXIT_CONFIG;
      }
      if (!(error instanceof AlreadyRunningError) && !(error instanceof EnforcementError)) throw error;
      complain(error.message);
      return EXIT_REFUSED;
    }
  },
});
