import { openSync } from "node:fs";
import { StringDecoder } from "node:string_decoder";
import { ReadStream, WriteStream } from "node:tty";

const END_OF_TEXT = "\u0003";
const END_OF_TRANSMISSION = "\u0004";
const BACKSPACES = ["\u007f", "\b"];

/** Asks on the terminal and shows nothing of the answer; undefined where there is no terminal, or on Ctrl-C. */
export async function askSecret(question: string): Promise<string | undefined> {
  const terminal = openTerminal();
  if (terminal === undefined) return undefined;
  const { input, output } = terminal;
  output.write(question);
  input.setRawMode(true);
  try {
    return await readLine(input);
  } finally {
    input.setRawMode(false);
    output.write("\n");
    input.destroy();
  }
}

/** stdin and stdout may be pipes of something else. */
function openTerminal(): { input: ReadStream; output: WriteStream } | undefined {
  try {
    return {
      input: new ReadStream(openSync("/dev/tty", "r")),
      output: new WriteStream(openSync("/dev/tty", "w")),
    };
  } catch {
    return undefined;
  }
}

function readLine(input: ReadStream): Promise<string | undefined> {
  const decoder = new StringDecoder("utf8");
  const typed: string[] = [];
  return new Promise((resolve) => {
    input.once("end", () => resolve(undefined));
    input.on("data", (bytes: Buffer) => {
      for (const character of decoder.write(bytes)) {
        if (character === "\r" || character === "\n") resolve(typed.join(""));
        else if (character === END_OF_TEXT || character === END_OF_TRANSMISSION) resolve(undefined);
        else if (BACKSPACES.includes(character)) typed.pop();
        else typed.push(character);
      }
    });
  });
}
