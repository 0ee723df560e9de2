import * as z from "zod";
import type { Facts } from "../db/facts.ts";
import type { Retirement } from "../nostr/listing-publisher.ts";
import { isNostrEvent, type NostrEvent } from "../protocol/event.ts";

const FACT = "listing-retirement";

const standingSchema = z.object({
  retired: z.boolean(),
  /** The request to delete the listing, from its signature on, also after the listing was taken up again. */
  deletion: z.custom<NostrEvent>(isNostrEvent).nullable(),
  signed: z.boolean(),
});

export type ListingRetirement = ReturnType<typeof createRetirement>;

/** Whether the listing is to stand nowhere, until the operator says otherwise. It stands in the book, over restarts. */
export function createRetirement(facts: Facts, onChange: () => void) {
  function read(): z.infer<typeof standingSchema> {
    const known = facts.get(FACT);
    return known === undefined
      ? { retired: false, deletion: null, signed: false }
      : standingSchema.parse(JSON.parse(known));
  }

  function write(change: Partial<z.infer<typeof standingSchema>>): void {
    facts.set(FACT, JSON.stringify({ ...read(), ...change }));
    onChange();
  }

  const forPublisher: Retirement = {
    isRetired: () => read().retired,
    isSigned: () => read().signed,
    deletion: () => read().deletion ?? undefined,
    signed: (deletion) => write({ deletion, signed: true }),
  };

  return {
    ...forPublisher,
    /** Once more changes nothing: the request that was signed stands. */
    retire(): void {
      if (!read().retired) write({ retired: true, signed: false });
    },
    end(): void {
      if (read().retired) write({ retired: false, signed: false });
    },
  };
}
