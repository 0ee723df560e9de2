import type { Check } from "../check.ts";
import { proxyCommand } from "../daemon/start-command.ts";
import { type Finding, fail, ok, unseen, warn } from "../finding.ts";
import type { Subject } from "../subject.ts";
import { ask, type Certificate, type Door } from "./ask.ts";
import { notReached } from "./reach-words.ts";

const DAY_SECONDS = 86_400;
/** Caddy and certbot renew when a third of the time is left. */
const OVERDUE = 0.2;

/** At each address of the name: a buyer may come by IPv4 or by IPv6. */
export const tls: Check = {
  name: "tls",
  group: "public name",
  async look(subject): Promise<Finding[]> {
    const doors = await subject.doors();
    if (doors.length === 0) return [unseen("the name has no address: see dns")];
    return Promise.all(doors.map((door) => lookAt(door, subject)));
  },
};

async function lookAt(door: Door, subject: Subject): Promise<Finding> {
  const answer = await ask(door, "/health/live");
  if (answer.kind === "failed") return notReached(door, answer.code, subject);
  return judge(answer.certificate, door, subject.clock.now());
}

function judge({ flaw, validFrom, validTo }: Certificate, { address, name }: Door, now: number): Finding {
  const days = Math.floor((validTo - now) / DAY_SECONDS);
  if (flaw === undefined) {
    const seen = `the certificate at ${address} is good for ${days} days`;
    const overdue = validTo - now < (validTo - validFrom) * OVERDUE;
    return overdue
      ? warn(`${seen}, and should have been renewed`, `see the proxy's log: ${proxyCommand()}`)
      : ok(seen);
  }
  const mend = `let the proxy fetch one for ${name}, with TCP 80 and 443 open; its log says why it could not, then as root: ${proxyCommand()}`;
  switch (flaw) {
    case "CERT_HAS_EXPIRED":
      return fail(`the certificate at ${address} has expired, ${-days} days ago`, mend);
    case "CERT_NOT_YET_VALID":
      return fail(`the certificate at ${address} is not valid yet: see clock`, "timedatectl set-ntp true");
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return fail(`the certificate at ${address} is for another name than ${name}`, mend);
    default:
      return fail(`the certificate at ${address} is signed by nobody that buyers trust (${flaw})`, mend);
  }
}
