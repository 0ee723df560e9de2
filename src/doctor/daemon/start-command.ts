import { existsSync } from "node:fs";

const inContainer = () => existsSync("/.dockerenv");

/** How the daemon is started or restarted on this host, as README.md sets it up. */
export function startCommand(what: "start" | "restart"): string {
  if (inContainer()) return `docker compose ${what} europa-node`;
  if (existsSync("/etc/systemd/system/europa-node.service")) return `systemctl ${what} europa-node`;
  return `node ${process.argv[1] ?? "dist/index.cjs"}`;
}

/** As `startCommand`, for the proxy in front of it. */
export function proxyCommand(): string {
  if (inContainer()) return "docker compose restart caddy";
  return existsSync("/etc/nginx/nginx.conf") ? "systemctl restart nginx" : "systemctl restart caddy";
}
