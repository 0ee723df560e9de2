import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { generateWireguardKeys } from "../testing/wireguard-keys.ts";
import { EnforcementError } from "../tunnels/ports.ts";
import { createKernelEnforcement } from "./kernel.ts";
import { CommandFailure, type CommandFault, type Run } from "./run.ts";

const newKey = () => generateWireguardKeys().publicKey;
const server = newKey();
const at = (host: number) => [`10.66.${Math.floor(host / 250)}.${(host % 250) + 1}`];

const UP =
  '[{"flags":["UP"],"addr_info":[{"family":"inet","local":"10.66.42.1"},{"family":"inet6","local":"fe80::1"}]}]';

interface Behaviour {
  /** `wg set` with one of these in its arguments fails. */
  badKeys?: string[];
  setFault?: CommandFault;
  showFault?: CommandFault;
  ipAnswer?: string;
  ipFault?: CommandFault;
  forwarding?: string;
}

/** Answers the calls that are expected of the adapter and throws on every other. */
function fakeHost({
  badKeys = [],
  setFault,
  showFault,
  ipAnswer = UP,
  ipFault,
  forwarding = "1\n",
}: Behaviour) {
  const sets: string[][] = [];
  let running = 0;
  const answer = (program: string, args: readonly string[]): string => {
    const call = [program, ...args];
    if (call.slice(0, 3).join(" ") === "wg set wg0") {
      sets.push(call.slice(3));
      if (setFault !== undefined) throw new CommandFailure("wg", 1, setFault);
      if (call.some((arg) => badKeys.includes(arg))) throw new CommandFailure("wg", 1, "failed");
      return "";
    }
    switch (call.join(" ")) {
      case "wg show wg0 dump":
        if (showFault !== undefined) throw new CommandFailure("wg", 1, showFault);
        return `private\t${server}\t51820\toff\n`;
      case "ip -j addr show dev wg0":
        if (ipFault !== undefined) throw new CommandFailure("ip", 1, ipFault);
        return ipAnswer;
      case "cat /proc/sys/net/ipv4/ip_forward":
        return forwarding;
      default:
        throw new Error("an unexpected command");
    }
  };
  const run: Run = async (wrapper, [program = "", ...args]) => {
    expect(wrapper).toBe("prefix");
    running++;
    expect(running).toBe(1);
    await new Promise((resolve) => setImmediate(resolve));
    running--;
    return answer(program, args);
  };
  const enforcement = createKernelEnforcement({
    interfaceName: "wg0",
    serverPubkey: server,
    subnetCidr: "10.66.42.0/24",
    commandPrefix: ["prefix"],
    run,
  });
  return { enforcement, sets };
}

const peers = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ publicKey: newKey(), addresses: at(index) }));

describe("kernel enforcement", () => {
  it("sets 500 peers in one call, 3000 in a few below 96 KiB, and does not call for nothing", async () => {
    const few = fakeHost({});
    await few.enforcement.apply({ set: peers(500), remove: [] });
    expect(few.sets).toHaveLength(1);

    const many = fakeHost({});
    await many.enforcement.apply({ set: peers(3000), remove: [] });
    expect(many.sets.length).toBeLessThanOrEqual(4);
    for (const args of many.sets) expect(args.join("\0").length).toBeLessThan(96 * 1024);

    const none = fakeHost({});
    expect(await none.enforcement.apply({ set: [], remove: [] })).toEqual({ rejected: [] });
    expect(none.sets).toEqual([]);
  });

  it("splits bad peers off, wherever they stand, in few calls", async () => {
    const set = peers(64);
    const bad = [set[0], set[17], set[63]].map((peer) => peer?.publicKey ?? "");
    const { enforcement, sets } = fakeHost({ badKeys: bad });
    const { rejected } = await enforcement.apply({ set, remove: [] });
    expect(rejected).toEqual(bad);
    expect(sets.length).toBeLessThan(40);
    const taken = sets.filter((args) => !args.some((arg) => bad.includes(arg))).flat();
    for (const { publicKey } of set.filter((peer) => !bad.includes(peer.publicKey))) {
      expect(taken.filter((arg) => arg === publicKey)).toHaveLength(1);
    }
  });

  it("blames the interface, not 100 peers, when it stops answering", async () => {
    const { enforcement, sets } = fakeHost({ setFault: "failed", showFault: "no-device" });
    await expect(enforcement.apply({ set: peers(100), remove: [] })).rejects.toMatchObject({
      trouble: { code: "no-interface" },
    });
    expect(sets).toHaveLength(1);
  });

  it.each([
    ["no-device", "no-interface"],
    ["no-permission", "no-permission"],
    ["timed-out", "not-answering"],
    ["not-found", "not-answering"],
  ] as const)("turns %s into %s at once, with no key in the error", async (fault, code) => {
    const set = peers(3);
    const { enforcement, sets } = fakeHost({ setFault: fault, showFault: fault });
    const error: unknown = await enforcement.apply({ set, remove: [] }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(EnforcementError);
    expect(error).toMatchObject({ trouble: { code } });
    expect(sets).toHaveLength(1);
    const shown = inspect(error, { depth: 9, showHidden: true });
    for (const { publicKey } of set) expect(shown).not.toContain(publicKey);
    await expect(enforcement.look()).rejects.toMatchObject({ trouble: { code } });
  });

  it("runs one wg at a time, and goes on after a failure", async () => {
    const { enforcement, sets } = fakeHost({ badKeys: ["none"] });
    const results = await Promise.all([
      enforcement.apply({ set: peers(2), remove: [] }),
      enforcement.look(),
      enforcement.apply({ set: [], remove: [newKey()] }),
    ]);
    expect(sets).toHaveLength(2);
    expect(results[1].publicKey).toBe(server);

    const broken = fakeHost({ setFault: "timed-out" }).enforcement;
    const failing = broken.apply({ set: peers(1), remove: [] });
    const looking = broken.look();
    await expect(failing).rejects.toThrow(EnforcementError);
    expect((await looking).publicKey).toBe(server);
  });

  it("takes no name or subnet that could be something else", () => {
    const options = { serverPubkey: server, interfaceName: "wg0", subnetCidr: "10.66.42.0/24" };
    expect(() => createKernelEnforcement({ ...options, interfaceName: "--help" })).toThrow(TypeError);
    expect(() => createKernelEnforcement({ ...options, subnetCidr: "fd00::/64" })).toThrow(TypeError);
  });
});

describe("trouble", () => {
  const view = { publicKey: server, listenPort: 51820, peers: [] };
  const link = (flags: string[], ...addresses: string[]) =>
    JSON.stringify([{ flags, addr_info: addresses.map((local) => ({ family: "inet", local })) }]);

  it("finds none where there is none", async () => {
    expect(await fakeHost({}).enforcement.trouble(view)).toBeUndefined();
  });

  it.each([
    ["another key", { ...view, publicKey: newKey() }, {}, "wrong-key", "wg set wg0 private-key"],
    ["no key", { ...view, publicKey: "" }, {}, "wrong-key", "no private key"],
    ["no address", view, { ipAnswer: link(["UP"]) }, "wrong-address", "ip addr add 10.66.42.1/24 dev wg0"],
    ["a foreign address", view, { ipAnswer: link(["UP"], "10.66.43.1") }, "wrong-address", "10.66.42.0/24"],
    ["a link that is down", view, { ipAnswer: link([], "10.66.42.1") }, "no-interface", "ip link set up"],
    [
      "no link",
      view,
      { ipFault: "no-device" },
      "no-interface",
      "wg-quick up wg0, or the first time sh scripts/wg-up.sh",
    ],
    ["no ip(8)", view, { ipFault: "not-found" }, "not-answering", "install"],
    ["an ip(8) that speaks no JSON", view, { ipAnswer: "1: lo" }, "not-answering", "wg0"],
    ["forwarding off", view, { forwarding: "0\n" }, "forwarding-off", "sysctl -w net.ipv4.ip_forward=1"],
  ] as const)("names %s and the mend", async (_what, seen, behaviour, code, mend) => {
    const trouble = await fakeHost(behaviour).enforcement.trouble({ ...seen, peers: [] });
    expect(trouble?.code).toBe(code);
    expect(trouble?.message).toContain(mend);
  });
});
