import { expect, it } from "vitest";
import { createAgedBook } from "../testing/aged-book.ts";
import { openSessionBook } from "../testing/session-book.ts";
import { startFolding } from "./folding.ts";

const DAY = 86_400;
const START = 1_800_000_000;

it("forgets at most a few sales a minute, none while the clock or the disk is in trouble, and stops when told", async () => {
  const { book, close } = await openSessionBook();
  const trouble: { clock: string | undefined; disk: boolean } = { clock: undefined, disk: false };
  const steps: (() => Promise<void> | void)[] = [];
  let end: () => unknown = () => undefined;
  const life: Parameters<typeof startFolding>[0]["life"] = {
    job: (_name, _pauseMs, step) => void steps.push(step),
    onClose: (step) => {
      end = step;
    },
  };
  const sales = () => book.prepare("SELECT count(*) FROM sales").pluck().get() as number;
  try {
    createAgedBook(book).addDay({
      startsAt: START,
      sales: 300,
      mintUrl: "https://mint.example",
      relayUrls: [],
    });
    startFolding(
      { clock: { now: () => START + 40 * DAY }, life },
      { book, guard: { doubt: () => trouble.clock }, database: { writable: () => !trouble.disk } },
    );
    const round = async () => {
      for (const step of steps) await step();
      return sales();
    };
    trouble.clock = "it is 1970";
    expect(await round()).toBe(300);
    trouble.clock = undefined;
    trouble.disk = true;
    expect(await round()).toBe(300);
    trouble.disk = false;
    expect(await round()).toBe(50);
    end();
    expect(await round()).toBe(50);
  } finally {
    await close();
  }
});
