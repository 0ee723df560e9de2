import { existsSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { RESERVE_MIB } from "../../db/disk-room.ts";
import type { Check } from "../check.ts";
import { fail, ok, unseen, warn } from "../finding.ts";

/** A year of brisk trade and its migration's copy. */
const COMFORT_MIB = 512;
const FEW_INODES = 1000;

export const disk: Check = {
  name: "disk",
  group: "host",
  look({ config }) {
    const folder = dirname(config.db.path);
    if (!existsSync(folder))
      return unseen(`${folder} does not exist yet: the daemon makes it at its first start`);
    const { blocks, bavail, bsize, files, ffree } = statfsSync(folder);
    const mend = `make room; the largest of it, as root: du -xh ${folder} | sort -h | tail`;
    if (files > 0 && ffree < FEW_INODES)
      return fail(`the disk of ${folder} takes only ${ffree} more files`, mend);
    // Some network and union file systems do not count.
    if (blocks === 0) return unseen(`the file system of ${folder} does not tell how much is free`);
    const freeMib = Math.floor((bavail * bsize) / 2 ** 20);
    const seen = `${freeMib} MiB are free on the disk of ${folder}`;
    if (freeMib < RESERVE_MIB) return fail(`${seen}, and below ${RESERVE_MIB} nothing is sold`, mend);
    return freeMib < COMFORT_MIB ? warn(seen, mend) : ok(seen);
  },
};
