import { encode } from "uqr";

export interface QrPath {
  /** Modules a side, the quiet zone included. */
  size: number;
  /** SVG path data of the dark modules, one unit each. */
  path: string;
}

/** Modules of white around the code (ISO/IEC 18004). */
const QUIET_ZONE = 4;

/** Throws `RangeError` for more than 2953 bytes. */
export function qrPath(text: string): QrPath {
  const { size, data } = encode(text, { ecc: "L", boostEcc: true, border: QUIET_ZONE });
  const rows = data.map((row, y) => rowPath(row, y));
  return { size, path: rows.join("") };
}

/** One rectangle for each run of dark modules: fewer edges, and none between neighbours. */
function rowPath(row: readonly boolean[], y: number): string {
  let path = "";
  let runStart: number | undefined;
  for (let x = 0; x <= row.length; x += 1) {
    if (row[x] === true) {
      runStart ??= x;
    } else if (runStart !== undefined) {
      path += `M${runStart} ${y}h${x - runStart}v1H${runStart}z`;
      runStart = undefined;
    }
  }
  return path;
}
