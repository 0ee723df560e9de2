import { existsSync, readFileSync } from "node:fs";
import type { Run } from "./run.ts";

/** What `scripts/wg-up.sh` has left on this host for one interface. */
export interface WgUpState {
  /** The file of wg-quick, whoever wrote it. */
  conf: string;
  hasConf: boolean;
  /** Its first line is the script's. */
  confIsOurs: boolean;
  /** The command that loads the rules anew, or sets all of it up. */
  reload: string;
  /** Where the server's private key stands, as the conf has it for a shell. */
  privateKeyFile: string | undefined;
  /** SUBNET6, when the peers get IPv6. */
  subnet6: string | undefined;
  /** EGRESS, when the operator chose the way out himself. */
  egress: string | undefined;
}

const COPY = "/etc/wireguard/europa-node/wg-up.sh";
const MARK = "# Written by scripts/wg-up.sh of europa-node";

export const rulesFile = (interfaceName: string) => `/etc/wireguard/europa_host_${interfaceName}.nft`;
export const rulesTable = (interfaceName: string) => `europa_host_${interfaceName}`;

export function readWgUpState(interfaceName: string): WgUpState {
  const conf = `/etc/wireguard/${interfaceName}.conf`;
  const text = textOf(conf);
  const confIsOurs = text?.startsWith(MARK) ?? false;
  const named = interfaceName === "wg0" ? "" : `INTERFACE=${interfaceName} `;
  return {
    conf,
    hasConf: text !== undefined,
    confIsOurs,
    reload: confIsOurs ? `${named}sh ${COPY} --rules` : `${named}sh scripts/wg-up.sh`,
    privateKeyFile: /private-key ('[^']+'|\S+)/.exec(text ?? "")?.[1],
    subnet6: /^# SUBNET6=(\S+)$/m.exec(text ?? "")?.[1],
    egress: /^# EGRESS=(.+)$/m.exec(text ?? "")?.[1],
  };
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

export type LoadedRules =
  | "as-written"
  /** The table is there, and not as the file has it. */
  | "changed"
  /** As the file has it, and this host's networks have changed since. */
  | "outdated"
  | "missing"
  /** They could not be compared. */
  | "unknown";

/**
 * Whether the rules that keep peers out of the host are loaded, and would be written the same today. The file is loaded
 * into a network namespace that ends at once, since nft prints a table otherwise than it was written.
 */
export async function loadedRules(run: Run, interfaceName: string): Promise<LoadedRules> {
  const [file, table] = [rulesFile(interfaceName), rulesTable(interfaceName)];
  const live = await run("nft", ["list", "tables"]);
  if (!live.split("\n").includes(`table inet ${table}`)) return "missing";
  if (!existsSync(file)) return "unknown";
  try {
    const loaded = await run("nft", ["-s", "list", "table", "inet", table]);
    const script = 'nft -f "$1" && exec nft -s list table inet "$2"';
    const written = await run("unshare", ["--net", "sh", "-c", script, "sh", file, table]);
    if (loaded !== written) return "changed";
    const today = await run("env", [`INTERFACE=${interfaceName}`, "sh", COPY, "--rules", "--print"]);
    return today.trimEnd() === readFileSync(file, "utf8").trimEnd() ? "as-written" : "outdated";
  } catch {
    return "unknown";
  }
}
