import { collidingRoutes } from "../../wireguard/route-collision.ts";
import type { Check } from "../check.ts";
import { fail, ok, unseen } from "../finding.ts";
import { onKernel } from "./on-kernel.ts";

export const subnet: Check = {
  name: "subnet",
  group: "tunnels",
  look: onKernel(async ({ config, host, configPath }) => {
    const { interface: tunnels, subnetCidr } = config.wireguard;
    const routes = await collidingRoutes(tunnels, subnetCidr, host.run);
    if (routes === undefined) return unseen("the routes cannot be read", "apt-get install iproute2");
    if (routes.length === 0) return ok(`no other route of this host overlaps ${subnetCidr}`);
    return fail(
      `wireguard.subnet_cidr ${subnetCidr} overlaps routes of this host: ${routes.join(", ")}`,
      `choose another subnet for wireguard.subnet_cidr in ${configPath}, and for wg-up.sh as SUBNET; or, if the route is not needed, as root: ip route del ${firstPrefix(routes)}`,
    );
  }),
};

/** `10.66.0.0/16 (docker0)` */
function firstPrefix([first = ""]: readonly string[]): string {
  const [, prefix = "", name = ""] = /^(\S+) \((.+)\)$/.exec(first) ?? [];
  return `${prefix} dev ${name}`;
}
