import { askDaemon, NoDaemonError } from "../../control/client.ts";
import { controlPath } from "../../control/control-path.ts";
import { STANDING, type Standing, standingSchema } from "../../daemon/standing.ts";

/** What the daemon says over its socket, or why it does not. */
export type Running = { standing: Standing } | { standing: undefined; why: string };

const WITHIN_MS = 5_000;

/** Asks the daemon that has this database. A daemon that is stopped or stuck accepts and never answers. */
export async function askStanding(databasePath: string): Promise<Running> {
  const path = controlPath(databasePath);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Running>((resolve) => {
    const why = `the daemon at ${path} takes the question and does not answer within ${WITHIN_MS / 1000} s`;
    timer = setTimeout(resolve, WITHIN_MS, { standing: undefined, why });
  });
  const asked = askDaemon(path, STANDING, standingSchema).then(
    (standing): Running => ({ standing }),
    (error: unknown): Running => {
      if (!(error instanceof NoDaemonError)) throw error;
      return { standing: undefined, why: error.message };
    },
  );
  const answer = await Promise.race([asked, late]);
  clearTimeout(timer);
  return answer;
}
