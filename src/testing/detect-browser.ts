import { findTool } from "./tools.ts";

export type BrowserFound =
  | { available: true; chromium: string; zbarimg: string }
  | { available: false; why: string };

/**
 * Whether pages can be opened here, and QR codes read back. In CI it is an error if not: CI runs these tests, it does
 * not skip them.
 */
export function detectBrowser(inCi: boolean): BrowserFound {
  const chromium = findTool("chromium") ?? findTool("chromium-browser") ?? findTool("google-chrome");
  const zbarimg = findTool("zbarimg");
  if (chromium !== undefined && zbarimg !== undefined) return { available: true, chromium, zbarimg };
  const why = `${chromium === undefined ? "chromium" : "zbarimg (zbar-tools)"} is not installed`;
  if (inCi) throw new Error(`${why}: CI runs the browser tests, it does not skip them`);
  return { available: false, why };
}
