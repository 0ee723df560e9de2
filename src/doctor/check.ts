import type { Finding } from "./finding.ts";
import type { Subject } from "./subject.ts";

export const GROUPS = ["host", "daemon", "public name", "listing", "relays", "money", "tunnels"] as const;
export type Group = (typeof GROUPS)[number];

export interface Check {
  /** As docs/doctor.md lists it. */
  name: string;
  group: Group;
  /** One finding, or one for each relay, mint or file. An error is a look that came to nothing. */
  look(subject: Subject): Promise<Finding | Finding[]> | Finding | Finding[];
}

export interface Examined extends Finding {
  name: string;
  /** `purchase`: a step of `doctor --buy`. */
  group: Group | "purchase";
}
