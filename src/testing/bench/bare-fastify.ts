import fastify from "fastify";

/** What `/info` is held against: Fastify, one route, a small JSON object. Ends with its parent. */
const app = fastify();
app.get("/", async () => ({ hello: "world" }));
process.on("disconnect", () => process.exit(0));
process.send?.(await app.listen({ host: "127.0.0.1", port: 0 }));
