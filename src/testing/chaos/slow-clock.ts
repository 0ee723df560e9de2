/** A clock in milliseconds that starts with the machine's, goes so many times slower, and never back. */
export function createSlowClock(slowness: () => number, machineMs: () => number = Date.now): () => number {
  let lastMachineMs = machineMs();
  let ms = lastMachineMs;
  return () => {
    const now = machineMs();
    ms += Math.max(0, now - lastMachineMs) / slowness();
    lastMachineMs = now;
    return Math.floor(ms);
  };
}
