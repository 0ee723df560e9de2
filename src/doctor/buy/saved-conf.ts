import { writeFileSync } from "node:fs";
import { resolve } from "node:path";

/** Keeps what was paid for, whole with its key, for its owner alone. Says where. */
export function saveConf(conf: string): string {
  const path = resolve(`europa-doctor-${process.pid}.conf`);
  try {
    writeFileSync(path, conf, { mode: 0o600, flag: "wx" });
    return `the .conf is in ${path}`;
  } catch {
    return "the .conf could not be saved; the same token, given again, gets the same tunnel";
  }
}
