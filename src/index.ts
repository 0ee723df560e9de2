import "websocket-polyfill";
import { main } from "./cli/main.ts";

main(process.argv.slice(2)).then(
  // ndk-wallet holds a timer from its import on, so a command's end has to be said.
  (exitCode) => exitCode === undefined || process.exit(exitCode),
  (error) => {
    process.stderr.write(
      `europa-node could not start: ${error instanceof Error ? error.name : "unknown error"}\n`,
    );
    process.exit(1);
  },
);
