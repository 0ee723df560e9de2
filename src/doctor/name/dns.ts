import { isIP } from "node:net";
import { hostOf } from "../../config/addresses.ts";
import type { HostAddress } from "../../wireguard/host.ts";
import type { Check } from "../check.ts";
import { type Finding, fail, ok, unseen, warn } from "../finding.ts";
import type { Subject } from "../subject.ts";
import { isPublic } from "./public-address.ts";
import { type NameAnswer, resolveName } from "./resolve.ts";

/** Both names that buyers look up: the one of https, and the one their tunnels go to. */
export const dns: Check = {
  name: "dns",
  group: "public name",
  async look(subject): Promise<Finding[]> {
    const { config, publicName } = subject;
    const endpoint = hostOf(config.wireguard.endpoint);
    const own = await subject.addresses();
    const answersAsUs = await isAnsweredByUs(subject);
    const found = [judge("server.public_host", publicName.host, await subject.name(), own, answersAsUs)];
    if (endpoint !== publicName.host) {
      found.push(judge("wireguard.endpoint_host", endpoint, await resolveName(endpoint), own, false));
    }
    return found;
  },
};

function judge(
  key: string,
  host: string,
  answer: NameAnswer,
  own: readonly HostAddress[],
  /** A proxy elsewhere may lead here: what answers by that name is ours. */
  answersAsUs: boolean,
): Finding {
  if (answer.kind === "silent")
    return unseen(`no resolver answers for ${host} (${answer.code})`, "see /etc/resolv.conf");
  const ours = own.filter(({ scope, address }) => scope === "global" && isPublic(address));
  if (answer.kind === "unknown") {
    const first = ours[0]?.address;
    return fail(
      `${key}: DNS knows no address of ${host}, so buyers do not reach it`,
      `make an A record of ${host}${first === undefined ? "" : `: ${first}`}`,
    );
  }
  const strangers = answer.addresses.filter((address) => !own.some((one) => one.address === address));
  if (strangers.length === 0)
    return ok(
      `${isIP(host) === 0 ? `${host} is ${answer.addresses.join(", ")}, of` : `${host} is of`} this host`,
    );
  const families = new Set(strangers.map(isIP));
  const beside = ours.filter(({ family }) => families.has(family));
  if (beside.length === 0) {
    return unseen(
      `${host} is ${strangers.join(", ")}; whether that leads here cannot be seen, since this host has no public address of its own`,
    );
  }
  const seen = `${key}: ${host} leads to ${strangers.join(", ")}, and this host is ${beside.map(({ address }) => address).join(", ")}`;
  if (answersAsUs) return warn(`${seen}; what answers there is this operator's`, "nothing, if that is meant");
  return fail(seen, `let the record of ${host} say: ${beside[0]?.address}`);
}

async function isAnsweredByUs({ info, config }: Subject): Promise<boolean> {
  const asked = await info();
  return asked?.kind === "answered" && asked.status === 200 && asked.text.includes(config.nostr.pubkey);
}
