import { CommandFailure } from "../wireguard/run.ts";
import type { Check, Examined } from "./check.ts";
import { type Finding, unseen } from "./finding.ts";
import type { Subject } from "./subject.ts";

/** All of them look at the same time, and none longer than this. */
const WITHIN_MS = 18_000;

/** In the order of the table. Never rejects. */
export async function examine(
  checks: readonly Check[],
  subject: Subject,
  withinMs = WITHIN_MS,
): Promise<Examined[]> {
  const all = await Promise.all(checks.map((check) => findingsOf(check, subject, withinMs)));
  return all.flat();
}

async function findingsOf(check: Check, subject: Subject, withinMs: number): Promise<Examined[]> {
  const { name, group } = check;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Finding>((resolve) => {
    timer = setTimeout(resolve, withinMs, unseen(`the look did not end within ${withinMs / 1000} s`));
  });
  const look = Promise.resolve()
    .then(() => check.look(subject))
    .catch(cameToNothing);
  const found = await Promise.race([look, late]);
  clearTimeout(timer);
  return [found].flat().map((finding) => ({ name, group, ...finding }));
}

/** An error's own text may hold what is not to be told. */
function cameToNothing(error: unknown): Finding {
  if (error instanceof CommandFailure) return notRun(error);
  return unseen(`the look came to nothing (${error instanceof Error ? error.name : "unknown error"})`);
}

function notRun({ program, fault, message }: CommandFailure): Finding {
  switch (fault) {
    case "no-permission":
      return unseen(
        `no permission for what ${program} shows`,
        "run doctor as root, on the host and not in a container",
      );
    case "not-found":
      return unseen(
        `${program} cannot be run here`,
        "on the host, as root: apt-get install -y wireguard-tools nftables iproute2",
      );
    default:
      return unseen(message, "run doctor as root, on the host and not in a container");
  }
}
