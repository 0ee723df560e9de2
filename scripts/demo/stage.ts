import { detectWireguard } from "../../src/testing/detect-wireguard.ts";
import { startMint, type TestMint } from "../../src/testing/mint.ts";
import { createTunnelWorld, type TunnelWorld } from "../../src/testing/namespaces.ts";
import { createOperator, type Operator } from "../../src/testing/operator.ts";
import { startRelay, type TestRelay } from "../../src/testing/relay.ts";
import { generateWireguardKeys } from "../../src/testing/wireguard-keys.ts";

export interface Stage {
  relay: TestRelay;
  mint: TestMint;
  operator: Operator;
  /** Network namespaces with a real interface; or why there are none. */
  world: TunnelWorld | { missing: string };
  clear(): Promise<void>;
}

const SUBNET = "10.66.42.0/24";

/** A relay, a mint and an operator, each over real sockets; with root and WireGuard, a small internet around them. */
export async function buildStage(): Promise<Stage> {
  const serverKeys = generateWireguardKeys();
  const found = await detectWireguard();
  const world = found.available
    ? await createTunnelWorld({ serverPrivateKey: serverKeys.privateKey, subnetCidr: SUBNET, tag: "demo" })
    : { missing: found.why };
  const host = "missing" in world ? "127.0.0.1" : world.hostAddress;
  const relay = await startRelay({ host });
  const mint = await startMint({ host, feePpk: 100 });
  const common = {
    relays: [relay.url],
    mints: [mint.url],
    lightning: { backend: "stub", stubSells: true },
    subnet: SUBNET,
    serverKeys,
  } as const;
  const operator = await createOperator(
    "missing" in world
      ? common
      : {
          ...common,
          wireguard: "kernel",
          interfaceName: world.interfaceName,
          host: world.operatorAddress,
          endpoint: { host: world.endpointHost, port: world.endpointPort },
          commandPrefix: world.commandPrefix("operator"),
        },
  );
  return {
    relay,
    mint,
    operator,
    world,
    async clear() {
      await operator.destroy();
      await mint.stop();
      await relay.stop();
      if (!("missing" in world)) await world.destroy();
    },
  };
}
