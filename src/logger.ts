import { type Logger, pino } from "pino";

const STDOUT = 1;

/** One JSON object a line on stdout; errors are logged by name and code, never whole (they may hold keys). */
export function createLogger(level: string): Logger {
  // Written at once: else the line of a fatal end overtakes the one before it, and a kill takes both.
  const destination = pino.destination({ dest: STDOUT, sync: true });
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return pino(options, destination);
}
