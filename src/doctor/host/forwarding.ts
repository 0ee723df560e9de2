import { forwardingTrouble } from "../../wireguard/interface-trouble.ts";
import type { Check } from "../check.ts";
import { fail, inTwo, ok } from "../finding.ts";
import { troubleCheck } from "./interface.ts";
import { onKernel } from "./on-kernel.ts";

export const forwarding: Check = {
  name: "forwarding",
  group: "tunnels",
  look: onKernel(async (subject) => {
    const trouble = await forwardingTrouble(troubleCheck(subject));
    if (trouble === undefined) return ok("IPv4 forwarding is on");
    const { seen, mend } = inTwo(trouble.message);
    return fail(seen, `as root: ${mend}`);
  }),
};

export const forwarding6: Check = {
  name: "forwarding-v6",
  group: "tunnels",
  look: onKernel(async ({ host, wgUp }) => {
    if (wgUp.subnet6 === undefined) return ok("buyers get no IPv6, so nothing of it is forwarded");
    if (await host.forwards6()) return ok("IPv6 forwarding is on");
    return fail(
      `IPv6 forwarding is off, and buyers get ${wgUp.subnet6}`,
      "as root: sysctl -w net.ipv6.conf.all.forwarding=1",
    );
  }),
};
