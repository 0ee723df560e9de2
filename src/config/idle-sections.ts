import { isTable, type Table, tableAt } from "./table.ts";

const SWITCHED = ["lightning", "cashu", "notifications"];

export interface ActiveFile {
  file: Table;
  /** Indices of the payment methods that are left out. */
  leftOut: Set<number>;
  warnings: string[];
}

/**
 * The file without what is switched off: sections whose `enabled` is not set, and the payment methods of a
 * backend that is off, each with a warning (rule 30: operators' files advertise those). Nothing of it is used,
 * so nothing of it can be wrong.
 */
export function withoutIdle(file: Table): ActiveFile {
  const active: ActiveFile = { file: { ...file }, leftOut: new Set(), warnings: [] };
  for (const name of SWITCHED) if (isOff(file, name)) active.file[name] = { enabled: false };
  const listing = tableAt(file, "listing");
  if (!Array.isArray(listing.payment_methods)) return active;
  const methods = listing.payment_methods.map((method, index) => {
    const reason = isTable(method) ? whyLeftOut(file, method.type) : undefined;
    if (reason === undefined) return method;
    active.leftOut.add(index);
    active.warnings.push(`listing.payment_methods[${index}]: left out of the listing, because ${reason}`);
    // Keeps its place, so that problems name the others by the index they have in the file.
    return { type: "lightning" };
  });
  active.file.listing = { ...listing, payment_methods: methods };
  return active;
}

function isOff(file: Table, section: string): boolean {
  const value = file[section];
  return value === undefined || (isTable(value) && (value.enabled === undefined || value.enabled === false));
}

function whyLeftOut(file: Table, type: unknown): string | undefined {
  if (type === "cashu" && isOff(file, "cashu")) return "cashu.enabled is not true";
  if (type !== "lightning") return undefined;
  const { backend, stub_sells } = tableAt(file, "lightning");
  if (isOff(file, "lightning")) return "lightning.enabled is not true";
  if (backend !== "stub" || stub_sells === true) return undefined;
  return 'the invoices of lightning.backend = "stub" are worth nothing, and lightning.stub_sells is not true';
}
