import type { FastifyInstance } from "fastify";
import type { InfoDocument } from "./info-document.ts";

/** The document stays the same while the process runs, so it is printed once. */
export function addInfoRoute(app: FastifyInstance, info: InfoDocument): void {
  const body = JSON.stringify(info);
  app.get("/info", (_request, reply) => {
    reply.type("application/json; charset=utf-8").send(body);
  });
}
