export interface Semaphore {
  /** Runs `section` when a place is free; undefined at once when the queue is full too. */
  tryRun<T>(section: () => Promise<T>): Promise<T> | undefined;
}

/** At most `places` sections run at once, at most `queue` wait. */
export function createSemaphore(places: number, queue: number): Semaphore {
  let running = 0;
  const waiting: (() => void)[] = [];

  async function run<T>(section: () => Promise<T>): Promise<T> {
    if (running >= places) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      return await section();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  }

  return { tryRun: (section) => (running >= places && waiting.length >= queue ? undefined : run(section)) };
}

/** One semaphore for each key, made at its first use. */
export function createSemaphores(places: number, queue: number): (key: string) => Semaphore {
  const byKey = new Map<string, Semaphore>();
  return (key) => {
    const known = byKey.get(key) ?? createSemaphore(places, queue);
    byKey.set(key, known);
    return known;
  };
}
