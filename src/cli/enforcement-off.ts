import { existsSync } from "node:fs";
import { EXIT_CONFIG } from "../config.ts";
import { AlreadyRunningError, lockInstance } from "../db/instance-lock.ts";
import { EnforcementError } from "../tunnels/ports.ts";
import { removeNftLimits } from "../wireguard/nft-limits.ts";
import { command } from "./command.ts";
import { EXIT_REFUSED } from "./exit-codes.ts";
import { loadOrComplain } from "./load-or-complain.ts";

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
  async run(_given, io) {
    const loaded = loadOrComplain(io);
    if (loaded === undefined) return EXIT_CONFIG;
    const { db, wireguard } = loaded.config;
    try {
      if (existsSync(db.path)) lockInstance(db.path).release();
      const { interface: interfaceName } = wireguard;
      await removeNftLimits({ interfaceName });
      io.print(`Nothing in nftables limits the peers of ${interfaceName} any more.`);
      return 0;
    } catch (error) {
      if (!(error instanceof AlreadyRunningError) && !(error instanceof EnforcementError)) throw error;
      io.complain(error.message);
      return EXIT_REFUSED;
    }
  },
});
