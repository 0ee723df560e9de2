import type { RefundStore } from "../refunds/refund-store.ts";
import type { InvoiceStore } from "../sales/lightning/invoice-store.ts";
import type { SaleStore } from "../sales/sale-store.ts";

/** A verb of a store of sales before or after which the process dies. */
export interface CrashPoint {
  verb: keyof SaleStore | keyof InvoiceStore | keyof RefundStore;
  when: "before" | "after";
}

export interface Life {
  dead: boolean;
}

/** A process that dies where it is told to: the verbs of its stores throw from then on. */
export function createMortality() {
  let point: CrashPoint | undefined;

  function die(life: Life): never {
    life.dead = true;
    point = undefined;
    throw new Error("the process died here");
  }

  return {
    dieAt(next: CrashPoint | undefined): void {
      point = next;
    },
    mortal<Store extends object>(store: Store, life: Life): Store {
      return new Proxy(store, {
        get(target, name: CrashPoint["verb"]) {
          const verb = target[name as keyof Store] as (...given: unknown[]) => unknown;
          return (...given: unknown[]) => {
            if (life.dead) throw new Error("the process is dead");
            const dies = point?.verb === name ? point : undefined;
            if (dies?.when === "before") die(life);
            const result = verb(...given);
            if (dies) die(life);
            return result;
          };
        },
      });
    },
  };
}
