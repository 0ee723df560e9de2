import type { FastifyInstance } from "fastify";
import type { InfoDocument } from "./info-document.ts";

export function addInfoRoute(app: FastifyInstance, info: () => InfoDocument): void {
  app.get("/info", async () => info());
}
