import { expect, it } from "vitest";
import { type CommandIo, command, UsageError } from "./command.ts";

const nothing: CommandIo = {
  environment: { configPath: "", logLevel: "", wireguardMode: "", defaultNsecFile: "" },
  print: () => {},
  complain: () => {},
  inColor: false,
};

let seen: unknown;
const feed = command({
  name: "feed",
  group: "Animals",
  summary: "feed one",
  arguments: { animal: { summary: "whom" }, fodder: { summary: "with what", optional: true } },
  options: { much: { summary: "more of it" }, times: { summary: "how often", value: "n" } },
  exits: { 0: "fed" },
  run(given) {
    seen = given;
    return 0;
  },
});

it("hands over what was typed, by its names", async () => {
  expect(await feed.run(["--times", "3", "cat"], nothing)).toBe(0);
  expect(seen).toEqual({ animal: "cat", fodder: undefined, much: false, times: "3" });
  await feed.run(["cat", "fish", "--much"], nothing);
  expect(seen).toEqual({ animal: "cat", fodder: "fish", much: true });
});

it.each([
  ["what is missing", [], "<animal> is missing: whom"],
  ["what is empty", ["", "fish"], "<animal> is missing: whom"],
  ["what is too many", ["cat", "fish", "milk"], '"milk" is one argument too many'],
  ["an unknown option", ["cat", "--soon"], "Unknown option '--soon'"],
  ["an option without its value", ["cat", "--times"], "Option '--times <value>' argument missing"],
  ["a value that a switch does not take", ["cat", "--much=9"], "Option '--much' does not take an argument"],
  ["a value that may be an option", ["cat", "--times", "--much"], "Option '--times' argument is ambiguous"],
])("refuses, and names, %s", async (_name, argv, said) => {
  await expect(feed.run(argv, nothing)).rejects.toThrow(new UsageError(said));
});
