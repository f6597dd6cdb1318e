import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    // One process starts faster than several, and the machine has other things to do.
    maxWorkers: 1,
    isolate: false,
    testTimeout: 20_000,
  },
});
