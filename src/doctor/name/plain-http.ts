import { connect } from "node:net";
import type { Check } from "../check.ts";
import { startCommand } from "../daemon/start-command.ts";
import { type Finding, ok, unseen, warn } from "../finding.ts";
import { isPublic } from "./public-address.ts";

const WITHIN_MS = 3_000;

/** The daemon's own port speaks plain HTTP: tokens sent there can be read on the way. */
export const plainHttp: Check = {
  name: "plain-http",
  group: "public name",
  async look({ config: { server }, configPath, addresses, running }): Promise<Finding> {
    const publicOnes = (await addresses())
      .filter(({ address, scope }) => scope === "global" && isPublic(address))
      .map(({ address }) => address);
    const reached = await Promise.all(publicOnes.map((address) => isOpen(address, server.port)));
    const open = publicOnes.filter((_address, index) => reached[index]);
    if (open.length > 0) {
      return warn(
        `port ${server.port}, plain HTTP, answers at ${open.join(", ")}: a token sent there can be read on the way`,
        `write host = "127.0.0.1" under [server] in ${configPath}, then as root: ${startCommand("restart")}`,
      );
    }
    const isLoopback = /^(127\.|::1$|localhost$)/.test(server.host);
    if (!isLoopback && (await running()).standing === undefined) {
      return unseen(`no daemon runs, so port ${server.port} at ${server.host} could not be tried`);
    }
    const where =
      publicOnes.length === 0 ? "this host has no public address" : `tried ${publicOnes.join(", ")}`;
    return ok(`port ${server.port}, plain HTTP, is not open to the world (${where})`);
  },
};

function isOpen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: WITHIN_MS });
    const end = (open: boolean) => {
      socket.destroy();
      resolve(open);
    };
    socket.once("connect", () => end(true));
    socket.once("timeout", () => end(false));
    socket.once("error", () => end(false));
  });
}
