import { isIP } from "node:net";
import type { Check } from "../check.ts";
import { type Finding, ok, unseen, warn } from "../finding.ts";
import type { Subject } from "../subject.ts";
import { lookedUpHere } from "./resolve.ts";

/** Buyers renew from inside a tunnel, and so from this host, at its public name. */
export const hairpin: Check = {
  name: "hairpin",
  group: "public name",
  async look(subject): Promise<Finding> {
    const [door] = await subject.doors();
    const answer = await subject.info();
    if (door === undefined || answer === undefined) return unseen("the name has no address: see dns");
    const own = await subject.addresses();
    const isOwn = own.some(({ address }) => address === door.address);
    if (answer.kind === "failed") {
      if (isOwn) return unseen("the proxy does not answer at all: see info");
      return warn(
        `${door.address} is not reached from this host (${answer.code}): buyers in a tunnel cannot renew there`,
        `let the router in front lead ${door.address} back (hairpin NAT), or give this host that address: ip addr add ${door.address}/32 dev lo`,
      );
    }
    return (await elsewhereHere(subject)) ?? ok(`${door.address} is reached from this host itself`);
  },
};

/** Debian's images write the host's own name into /etc/hosts. */
async function elsewhereHere({ publicName, doors }: Subject): Promise<Finding | undefined> {
  if (isIP(publicName.host) !== 0) return undefined;
  const known = (await doors()).map(({ address }) => address);
  const here = await lookedUpHere(publicName.host);
  const stray = here.filter((address) => !known.includes(address));
  if (stray.length === 0) return undefined;
  return warn(
    `this host itself takes ${publicName.host} for ${stray.join(", ")}, unlike the rest of the world`,
    `take ${publicName.host} out of the line of ${stray.join(", ")} in /etc/hosts`,
  );
}

/** What no look from inside can tell. */
export const outside: Check = {
  name: "outside",
  group: "public name",
  async look(subject): Promise<Finding> {
    const [door] = await subject.doors();
    const answer = await subject.info();
    const { publicHost } = subject.config.server;
    const udp = subject.config.wireguard.endpoint.split(":").at(-1);
    const own = (await subject.addresses()).some(({ address }) => address === door?.address);
    if (!own && answer?.kind === "answered") {
      return ok(
        `/info came over ${door?.address}, which is no address of this host; UDP ${udp} was not tried`,
      );
    }
    return unseen(
      `whether a firewall in front of this host lets TCP 443 and UDP ${udp} in cannot be seen from here`,
      `open both with your hoster; for the first, on another machine: curl -i https://${publicHost}/info`,
    );
  },
};
