/** Those who wait until something happens to a name, or until their time is over. */
export function createWaiters() {
  const waiting = new Map<string, Set<() => void>>();
  return {
    wake: (name: string): void => {
      for (const wake of waiting.get(name) ?? []) wake();
    },
    wait: (name: string, timeoutMs: number): Promise<void> =>
      new Promise((resolve) => {
        const here = waiting.get(name) ?? new Set();
        const wake = () => {
          clearTimeout(timer);
          here.delete(wake);
          if (here.size === 0) waiting.delete(name);
          resolve();
        };
        const timer = setTimeout(wake, Math.max(0, timeoutMs));
        here.add(wake);
        waiting.set(name, here);
      }),
  };
}
