import { StartRefused } from "./start-refused.ts";

/** A failed `listen`, with the mend; any other error as it is. */
export function inWordsOfListening(error: unknown, host: string, port: number): unknown {
  const code = String((error as { code?: unknown } | undefined)?.code);
  switch (code) {
    case "EADDRINUSE":
      return new StartRefused(
        `another program already listens on ${host} port ${port} (${code}): end it (\`ss -ltnp\` names it), ` +
          "or write another server.port",
        1,
      );
    case "EACCES":
      return new StartRefused(`server.port: ${port} is for root only (${code}); write one above 1023`, 78);
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new StartRefused(
        `server.host: ${host} is no address of this machine (${code}); write 127.0.0.1 behind a proxy, or 0.0.0.0`,
        78,
      );
    default:
      return error;
  }
}
