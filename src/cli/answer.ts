import type { CommandIo } from "./command.ts";
import { EXIT_REFUSED } from "./exit-codes.ts";

/** As JSON on one line, or in words. */
export function printAnswer<T>(
  io: CommandIo,
  asJson: boolean,
  answer: T,
  inWords: (answer: T) => readonly string[],
): void {
  for (const line of asJson ? [JSON.stringify(answer)] : inWords(answer)) io.print(line);
}

/** What the daemon did, in words; or why it did not. Gives the exit code. */
export function printUnlessRefused<T extends object>(
  io: CommandIo,
  asJson: boolean,
  answer: T | { refused: string },
  inWords: (answer: T) => readonly string[],
): number {
  if (!("refused" in answer)) {
    printAnswer(io, asJson, answer, inWords);
    return 0;
  }
  if (asJson) io.print(JSON.stringify(answer));
  else io.complain(answer.refused);
  return EXIT_REFUSED;
}
