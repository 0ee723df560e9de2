import { expect, it } from "vitest";
import { collidingRoutes } from "./route-collision.ts";

const host = [
  { dst: "default", dev: "eth0" },
  { dst: "10.66.42.0/24", dev: "wg0" },
  { dst: "10.66.0.0/16", dev: "docker0" },
  { dst: "10.66.42.77", dev: "eth1" },
  { dst: "192.168.1.0/24", dev: "eth0" },
];
const asked = (printed: string) => async () => printed;

it("names routes of other interfaces that overlap the subnet, wider and narrower ones", async () => {
  expect(await collidingRoutes("wg0", "10.66.42.0/24", asked(JSON.stringify(host)))).toEqual([
    "10.66.0.0/16 (docker0)",
    "10.66.42.77 (eth1)",
  ]);
});

it("finds none where there is none, nor in the interface's own route and the default one", async () => {
  expect(await collidingRoutes("wg0", "172.20.0.0/24", asked(JSON.stringify(host)))).toEqual([]);
});

it("says nothing when the host cannot be asked", async () => {
  expect(await collidingRoutes("wg0", "10.66.42.0/24", asked("no JSON"))).toBeUndefined();
  const refused = async () => Promise.reject(new Error("no ip here"));
  expect(await collidingRoutes("wg0", "10.66.42.0/24", refused)).toBeUndefined();
});
