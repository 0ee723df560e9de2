import { existsSync, statSync } from "node:fs";
import { isLocked } from "../../db/instance-lock.ts";
import { soundness } from "../../db/open-book.ts";
import { version } from "../../version.ts";
import type { Check } from "../check.ts";
import { fail, inTwo, ok, unseen, warn } from "../finding.ts";
import { startCommand } from "./start-command.ts";

export const daemon: Check = {
  name: "daemon",
  group: "daemon",
  async look({ config, running }) {
    const answer = await running();
    if (answer.standing !== undefined) return ok(`it runs and answers (${answer.standing.version})`);
    if (isLocked(config.db.path)) {
      return fail(
        `a daemon holds the database ${config.db.path}, and cannot be asked: ${answer.why}`,
        `as root: ${startCommand("restart")}`,
      );
    }
    return fail(`${answer.why}; what only it knows is not looked at`, `as root: ${startCommand("start")}`);
  },
};

/** An upgrade that was built and not started. */
export const sameVersion: Check = {
  name: "version",
  group: "daemon",
  async look({ running }) {
    const { standing } = await running();
    if (standing === undefined) return unseen("no daemon that could be asked: see daemon");
    if (standing.version === version) return ok(`daemon and this command are both ${version}`);
    return warn(
      `the daemon is ${standing.version}, and this command ${version}`,
      `let the new one run, as root: ${startCommand("restart")}`,
    );
  },
};

/** Above this a look at all of it takes too long. */
const MOST_TO_READ_BYTES = 256 * 2 ** 20;

export const database: Check = {
  name: "database",
  group: "daemon",
  async look({ config: { db }, running }) {
    const { standing } = await running();
    if (standing !== undefined) {
      if (standing.database === null) return ok("the daemon writes to it");
      return fail(standing.database, `see disk; the file is ${db.path}`);
    }
    if (!existsSync(db.path))
      return unseen(`${db.path} does not exist yet: the daemon makes it at its first start`);
    if (isLocked(db.path)) return unseen("a daemon that does not answer holds it: see daemon");
    if (statSync(db.path).size > MOST_TO_READ_BYTES) return unseen("too large to be read through here");
    const found = soundness(db.path, true);
    if (found === undefined) return unseen("a write was left half done: the daemon's next start can tell");
    if (found === "ok") return ok(`no daemon has it, and it is sound`);
    return fail(
      `${db.path} is damaged (${found})`,
      `keep it, and put a backup in its place, or save what can be read: sqlite3 ${db.path} .recover`,
    );
  },
};

/** The daemon's own word on what keeps it from selling. */
export const health: Check = {
  name: "health",
  group: "daemon",
  async look({ running }) {
    const { standing } = await running();
    if (standing === undefined) return unseen("no daemon that could be asked: see daemon");
    if (standing.wireguard !== null) {
      const { seen, mend } = inTwo(standing.wireguard);
      return fail(`the daemon sells nothing: ${seen}`, mend || "see interface");
    }
    if (standing.database !== null)
      return fail(`the daemon sells nothing: ${standing.database}`, "see database");
    return ok("the daemon could sell, as far as interface and database go");
  },
};
