import { exec } from "./namespace-tools.ts";

export interface Witness {
  /** Packets since the start, or since `forget`. */
  passed(): Promise<number>;
  forget(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Counts what comes from an interface and was let pass, to the host itself or onwards: it stands behind all other
 * chains. Pings are not counted, and neither is UDP to port 25, which is no mail.
 */
export async function startWitness(namespace: string, interfaceName: string): Promise<Witness> {
  const chain = (hook: string) => `chain ${hook}_passed {
    type filter hook ${hook} priority 300; policy accept;
    iifname "${interfaceName}" meta l4proto tcp counter name passed
    iifname "${interfaceName}" udp dport != 25 counter name passed
  }`;
  const nft = (command: string) => exec(namespace, ["nft", command]);
  await nft(`table inet witness {
  counter passed { }
  ${chain("input")}
  ${chain("forward")}
}`);
  return {
    async passed() {
      const counted = /packets (\d+)/.exec(await nft("list counter inet witness passed"))?.[1];
      if (counted === undefined) throw new Error("nft did not list the witness's counter");
      return Number(counted);
    },
    forget: async () => void (await nft("reset counter inet witness passed")),
    stop: async () => void (await nft("delete table inet witness")),
  };
}
