import { Agent, get } from "node:http";

const CONNECTIONS = 16;

/** Requests a second over a few connections that stay open. `headersOf` of each request's number. */
export async function requestsPerSecond(
  url: string,
  requests: number,
  headersOf: (index: number) => Record<string, string> = () => ({}),
): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  let next = 0;
  const worker = async () => {
    while (next < requests) await getOnce(url, agent, headersOf(next++));
  };
  const startedMs = performance.now();
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  const perSecond = (requests / (performance.now() - startedMs)) * 1000;
  agent.destroy();
  return perSecond;
}

function getOnce(url: string, agent: Agent, headers: Record<string, string>): Promise<void> {
  return new Promise((resolve, reject) => {
    get(url, { agent, headers }, (response) => {
      response.resume();
      if (response.statusCode === 200) response.once("end", resolve);
      else reject(new Error(`answered HTTP ${response.statusCode}`));
    }).once("error", reject);
  });
}
