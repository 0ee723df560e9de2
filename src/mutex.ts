export type Mutex = <T>(section: () => Promise<T>) => Promise<T>;

/** Runs sections one after the other, in the order they were asked for; one that fails does not stop the next. */
export function createMutex(): Mutex {
  let last: Promise<unknown> = Promise.resolve();
  return (section) => {
    const run = last.then(section, section);
    last = run.catch(() => undefined);
    return run;
  };
}
