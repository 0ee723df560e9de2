import type { FastifyInstance } from "fastify";

/** GET /health: whether the daemon can sell and serve, and which part says no. Holds no address and no key of a buyer. */
export interface HealthReport {
  ok: boolean;
  /** Why not, for the operator. */
  reason?: string;
  service: "europa-node";
  /** First 12 hex of the operator's. */
  pubkey: string;
  /** `d` of the listing. */
  listing: string;
  /** `ok`, or what is wrong. */
  database: string;
  wireguard: string;
  wallet: string;
  lightning: string;
  relays: { connected: number; total: number };
}

/** `/health/live` is for probes: it asks nothing but the process (rule 35). */
export function addHealthRoutes(app: FastifyInstance, health: () => HealthReport): void {
  app.get("/health", async (_request, reply) => {
    const report = health();
    return reply.code(report.ok ? 200 : 503).send(report);
  });
  app.get("/health/live", async () => ({ ok: true }));
}
