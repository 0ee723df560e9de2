import { writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { detectBrowser } from "./detect-browser.ts";
import { makeTempDir, type TempDir } from "./temp-dir.ts";

let folder: TempDir;

beforeEach(async () => {
  folder = await makeTempDir();
  vi.stubEnv("PATH", folder.path);
});
afterEach(() => {
  vi.unstubAllEnvs();
  return folder.remove();
});

function install(name: string, mode = 0o755): string {
  const file = join(folder.path, name);
  writeFileSync(file, "", { mode });
  return file;
}

describe("detectBrowser", () => {
  it("names both programs, wherever they are", () => {
    const chromium = install("chromium");
    const zbarimg = install("zbarimg");
    vi.stubEnv("PATH", ["/nowhere", folder.path].join(delimiter));
    expect(detectBrowser(true)).toEqual({ available: true, chromium, zbarimg });
  });

  it("says what is missing, which in CI is an error", () => {
    expect(detectBrowser(false)).toEqual({ available: false, why: "chromium is not installed" });
    install("chromium");
    expect(detectBrowser(false)).toMatchObject({ why: expect.stringContaining("zbar-tools") });
    expect(() => detectBrowser(true)).toThrow(/zbarimg .*CI/);
  });

  it("takes no file that cannot be run", () => {
    install("chromium", 0o644);
    expect(detectBrowser(false).available).toBe(false);
  });
});
