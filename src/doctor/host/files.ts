import { statSync } from "node:fs";
import { dirname } from "node:path";
import { controlPath } from "../../control/control-path.ts";
import type { Check } from "../check.ts";
import { type Finding, fail, inTwo, ok, warn } from "../finding.ts";

const ALL_OTHERS = 0o077;

/** Money and keys of buyers are in the database: nobody but its owner may read it. */
export const files: Check = {
  name: "files",
  group: "host",
  look({ config }): Finding[] {
    const { path } = config.db;
    const sides = ["", "-wal", "-shm", "-journal", ".lock"].map((side) => path + side);
    const open = [
      ...[...sides, controlPath(path)].flatMap((file) => openTo(file, "600")),
      ...openTo(dirname(path), "700"),
    ];
    return open.length > 0
      ? open
      : [ok(`${path}, what belongs to it and its folder are their owner's alone`)];
  },
};

function openTo(path: string, mode: string): Finding[] {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined || (stats.mode & ALL_OTHERS) === 0) return [];
  const now = (stats.mode & 0o777).toString(8);
  return [
    fail(`${path} is open to other users of this host (mode ${now})`, `as root: chmod ${mode} ${path}`),
  ];
}

/** What `check-config` warns of: open secrets, unencrypted URLs, keys that are not read. */
export const configWarnings: Check = {
  name: "config",
  group: "host",
  look({ warnings, configPath }): Finding[] {
    if (warnings.length === 0) return [ok(`${configPath} is in order`)];
    return warnings.map((warning) => {
      const { seen, mend } = inTwo(warning);
      return warn(seen, mend.startsWith("run: ") ? `as root: ${mend.slice(5)}` : mend || `see ${configPath}`);
    });
  },
};
