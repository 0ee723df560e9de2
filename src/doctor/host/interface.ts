import { addressTrouble, keyTrouble, type TroubleCheck } from "../../wireguard/interface-trouble.ts";
import type { Check } from "../check.ts";
import { type Finding, fail, inTwo, ok, unseen, warn } from "../finding.ts";
import type { Subject } from "../subject.ts";
import { onKernel } from "./on-kernel.ts";

/** For those that are about the interface itself. */
function onInterface(
  look: (subject: Subject, port: number, publicKey: string) => Promise<Finding> | Finding,
): Check["look"] {
  return onKernel(async (subject) => {
    const seen = await subject.tunnels();
    if ("trouble" in seen) return unseen("the interface cannot be looked at: see interface");
    return look(subject, seen.view.listenPort, seen.view.publicKey);
  });
}

export const interfaceUp: Check = {
  name: "interface",
  group: "tunnels",
  look: onKernel(async (subject) => {
    const { interface: name } = subject.config.wireguard;
    const seen = await subject.tunnels();
    if ("view" in seen) return ok(`${name} is there, with ${seen.view.peers.length} peers`);
    const { code, message } = seen.trouble;
    const words = inTwo(message);
    if (code === "no-permission") return unseen(words.seen, "run doctor as root");
    if (code === "no-interface") return fail(words.seen, bringUp(subject));
    return fail(words.seen, words.mend);
  }),
};

function bringUp({ config, wgUp }: Subject): string {
  const { interface: name } = config.wireguard;
  if (!wgUp.hasConf) return `set it up, as root, in the folder of the README: ${wgUp.reload}`;
  return `bring it up, as root: wg-quick up ${name}`;
}

export const interfaceKey: Check = {
  name: "interface-key",
  group: "tunnels",
  look: onInterface((subject, listenPort, publicKey) => {
    const check = troubleCheck(subject);
    const trouble = keyTrouble(check, { publicKey, listenPort, peers: [] });
    if (trouble === undefined) return ok("its key is wireguard.server_pubkey");
    const { seen, mend } = inTwo(trouble.message);
    const file = subject.wgUp.privateKeyFile;
    if (file === undefined) return fail(seen, mend);
    const give = `wg set ${check.interfaceName} private-key ${file}`;
    return fail(seen, `give it the key of ${subject.wgUp.conf} again, as root: ${give}`);
  }),
};

export const interfaceAddress: Check = {
  name: "interface-address",
  group: "tunnels",
  look: onInterface(async (subject) => {
    const trouble = await addressTrouble(troubleCheck(subject));
    if (trouble === undefined)
      return ok(`it is up, with an address in ${subject.config.wireguard.subnetCidr}`);
    const { seen, mend } = inTwo(trouble.message);
    return fail(seen, mend);
  }),
};

export const interfacePort: Check = {
  name: "interface-port",
  group: "tunnels",
  look: onInterface(({ config }, listenPort) => {
    const { endpoint, interface: name } = config.wireguard;
    const sold = Number(/:(\d+)$/.exec(endpoint)?.[1]);
    if (sold === listenPort) return ok(`it listens on UDP ${listenPort}, as buyers are told`);
    return warn(
      `it listens on UDP ${listenPort}, and buyers are told ${sold} (wireguard.endpoint_port)`,
      `unless a router in front turns the one into the other, as root: wg set ${name} listen-port ${sold}`,
    );
  }),
};

export function troubleCheck({ config, host }: Subject): TroubleCheck {
  const { interface: interfaceName, serverPubkey = "", subnetCidr, subnet6 } = config.wireguard;
  return { interfaceName, serverPubkey, subnetCidr, subnet6, run: host.run, ownNamespace: true };
}
