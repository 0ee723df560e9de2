import { afterEach, expect, it, vi } from "vitest";
import { main } from "./main.ts";

afterEach(() => void vi.restoreAllMocks());

async function typed(...argv: string[]) {
  const out = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const err = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const exitCode = await main(argv);
  const written = (spy: typeof out) => spy.mock.calls.map(([text]) => String(text)).join("");
  return { exitCode, out: written(out), err: written(err) };
}

it.each([
  ["all of it", ["help"], /^europa-node .*\n\nThe daemon:/],
  ["a command", ["help", "sessions", "list"], /^europa-node sessions list \[--json\]: /],
  ["those of a word", ["help", "wallet"], /wallet balance[\s\S]*wallet republish/],
])("help explains %s, as --help does", async (_name, argv, words) => {
  const asked = await typed(...argv);
  expect(asked).toMatchObject({ exitCode: 0, out: expect.stringMatching(words), err: "" });
  vi.restoreAllMocks();
  expect(await typed(...argv.slice(1), "--help")).toEqual(asked);
});

it.each([
  [["sessions"], /but has sessions list, sessions show/],
  [["session", "list"], /but has sessions list, sessions show/],
  [["frobnicate"], /no command "frobnicate"; see europa-node --help/],
])("%j is no command, and those that are near it are named", async (argv, words) => {
  expect(await typed(...argv)).toMatchObject({ exitCode: 64, out: "", err: expect.stringMatching(words) });
});
