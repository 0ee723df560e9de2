import { proxyCommand } from "../daemon/start-command.ts";
import { type Finding, fail, unseen } from "../finding.ts";
import type { Subject } from "../subject.ts";
import type { Door } from "./ask.ts";

/** What a connection to the public name that came to nothing means. */
export async function notReached({ address, port }: Door, code: string, subject: Subject): Promise<Finding> {
  const own = (await subject.addresses()).some((one) => one.address === address);
  const where = `${address} port ${port}`;
  if (!own) {
    return unseen(
      `${where} is not reached from this host itself (${code}), which says nothing of others: see hairpin`,
      `ask from elsewhere: curl -i https://${subject.config.server.publicHost}/info`,
    );
  }
  switch (code) {
    case "ECONNREFUSED":
      return fail(`nothing listens on ${where}`, `start the proxy, as root: ${proxyCommand()}`);
    case "EPROTO":
    case "no code":
    case "ECONNRESET":
      return fail(
        `what listens on ${where} does not speak TLS for ${subject.publicName.host} (${code})`,
        `see the proxy's log, and that it has this name: ${proxyCommand()}`,
      );
    default:
      return fail(`${where} does not answer (${code})`, `see the proxy and its log: ${proxyCommand()}`);
  }
}
