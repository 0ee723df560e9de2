import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts"],
    globalSetup: ["src/testing/build-daemon.ts"],
    // One process a file: NDK keeps timers, the daemon keeps locks, and neither may reach the next file.
    pool: "forks",
    // On two cores vitest would take one: but daemons are mostly waited for.
    maxWorkers: "100%",
    testTimeout: 120_000,
    hookTimeout: 120_000,
    teardownTimeout: 5_000,
  },
});
