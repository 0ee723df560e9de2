import { type LoadedRules, loadedRules, rulesFile, rulesTable } from "../../wireguard/wg-up-state.ts";
import type { Check } from "../check.ts";
import { type Finding, fail, ok, unseen, warn } from "../finding.ts";
import type { Subject } from "../subject.ts";
import { onKernel } from "./on-kernel.ts";

/** Without these rules a buyer reaches this host's services, its networks, cloud metadata, and other buyers. */
export const isolation: Check = {
  name: "isolation",
  group: "tunnels",
  look: onKernel(async (subject) => {
    const { interface: name } = subject.config.wireguard;
    return judge(await loadedRules(subject.host.run, name), subject);
  }),
};

function judge(rules: LoadedRules, { config, wgUp }: Subject): Finding {
  const { interface: name } = config.wireguard;
  const [table, file, mend] = [rulesTable(name), rulesFile(name), `as root: ${wgUp.reload}`];
  switch (rules) {
    case "as-written":
      return ok(`the rules that keep buyers out of this host are loaded as ${file} has them`);
    case "changed":
      return fail(`the table ${table} is not as ${file} has it`, mend);
    case "outdated":
      return warn(`this host's networks have changed since ${file} was written`, mend);
    case "missing":
      return fail(`the table ${table} is not loaded: buyers reach this host and its networks`, mend);
    case "unknown":
      return unseen(
        `the table ${table} is loaded; whether all of it is as it should be cannot be compared here`,
        mend,
      );
  }
}
