import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Browser, chromium } from "playwright-core";
import { makeTempDir } from "./temp-dir.ts";

const ARGUMENTS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export interface BrowserOptions {
  executablePath: string;
  /** Names that lead to 127.0.0.1; every other name leads nowhere. */
  localNames: readonly string[];
  /** After that it is closed, whatever it is doing. */
  forAtMostMs: number;
}

/** A browser with a profile of its own that reaches this machine alone. */
export async function openBrowser(options: BrowserOptions): Promise<Browser> {
  const { executablePath, localNames, forAtMostMs } = options;
  const rules = [
    ...localNames.map((name) => `MAP ${name} 127.0.0.1`),
    "MAP * ~NOTFOUND",
    "EXCLUDE 127.0.0.1",
  ];
  const browser = await chromium.launch({
    executablePath,
    args: [...ARGUMENTS, `--host-resolver-rules=${rules.join(", ")}`],
    timeout: forAtMostMs,
  });
  const timer = setTimeout(() => void browser.close(), forAtMostMs);
  browser.once("disconnected", () => clearTimeout(timer));
  return browser;
}

/** What a camera reads in the picture. Rejects when there is no QR code in it. */
export async function readQrCode(zbarimg: string, png: Buffer): Promise<string> {
  const folder = await makeTempDir();
  try {
    const file = join(folder.path, "code.png");
    await writeFile(file, png);
    // Binary: as it was encoded, without a line end added.
    const options = ["--quiet", "--raw", "-Sbinary", "-Sdisable", "-Sqrcode.enable", file];
    const { stdout } = await promisify(execFile)(zbarimg, options, { timeout: 20_000 });
    return stdout;
  } finally {
    await folder.remove();
  }
}
