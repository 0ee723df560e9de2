import { readFileSync } from "node:fs";
import { fileTrouble } from "../config/file-trouble.ts";
import { lockKeySchema, refundAnswerSchema } from "../refunds/refund-messages.ts";
import { askingExits, askRunningDaemon } from "./ask-running-daemon.ts";
import { command, json, UsageError } from "./command.ts";
import { EXIT_UNKNOWN } from "./exit-codes.ts";
import { askSecret } from "./secret.ts";

const EXIT_REFUSED = 1;

export const refund = command({
  name: "refund",
  group: "Your money",
  summary: "give a token back that bought nothing, less the mint's fee",
  about: [
    "The token is money, so it is no argument: it comes from stdin, from --token-file, or is asked for on the terminal.",
    "It is swapped for a new one, which is printed: whoever has that may spend it, or with --to the owner of a key alone.",
    "The same token again prints the same new one. A token that paid for a tunnel is not given back, and one that was",
    "given back buys nothing any more.",
  ],
  options: {
    "token-file": { summary: "the token is this file's content", value: "file" },
    to: { summary: "lock it to this public key (NUT-11), 66 hex", value: "key" },
    json,
  },
  exits: {
    0: "given back; the new token is printed",
    [EXIT_REFUSED]: "refused, and nothing was touched",
    [EXIT_UNKNOWN]: "the mint has not said what it did: repeat the very same",
    ...askingExits,
  },
  run: async (given, io) => {
    const lockedTo = given.to?.toLowerCase();
    if (lockedTo !== undefined && !lockKeySchema.safeParse(lockedTo).success) {
      throw new UsageError("--to takes a public key of 66 hex characters that starts with 02 or 03");
    }
    const token = await readToken(given["token-file"]);
    const asked = { token, ...(lockedTo === undefined ? {} : { lockedTo }) };
    return askRunningDaemon(
      io,
      "refund",
      refundAnswerSchema,
      (answer) => {
        if (given.json) io.print(JSON.stringify(answer));
        if (answer.kind === "refunded") {
          const { token: back, faceSat, feeSat, givenSat } = answer;
          if (!given.json && back !== null) io.print(back);
          io.complain(`${faceSat} sat taken, ${givenSat} sat given back, ${feeSat} sat for the mint`);
          return 0;
        }
        io.complain(answer.message);
        return answer.kind === "open" ? EXIT_UNKNOWN : EXIT_REFUSED;
      },
      asked,
    );
  },
});

async function readToken(file: string | undefined): Promise<string> {
  const text = file === undefined && process.stdin.isTTY ? await askSecret("Token: ") : readAll(file ?? 0);
  const token = text?.trim();
  if (!token) throw new UsageError("there is no token: give it on stdin, or by --token-file");
  return token;
}

function readAll(file: string | number): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new UsageError(`--token-file ${fileTrouble(error)}`);
  }
}
