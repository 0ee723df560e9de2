import type { Check } from "../check.ts";
import { unseen } from "../finding.ts";

/** A look at the host's tunnels, where there are any: not for trials without WireGuard. */
export function onKernel(look: Check["look"]): Check["look"] {
  return (subject) => {
    if (subject.config.wireguard.mode === "kernel") return look(subject);
    return unseen(
      "WireGuard is off: EUROPA_OPERATOR_WIREGUARD_MODE is in-memory, so no buyer gets a tunnel",
      "run the daemon, and this, without that variable",
    );
  };
}
