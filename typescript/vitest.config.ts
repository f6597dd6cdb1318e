import { fileURLToPath } from "node:url";

import { defineConfig } from "vitest/config";

const source = (path: string): string => fileURLToPath(new URL(`src/${path}`, import.meta.url));

export default defineConfig({
  resolve: {
    // Packages of contracts import what users install.
    alias: [
      { find: /^@orbitalis\/sdk$/, replacement: source("index.ts") },
      { find: /^@orbitalis\/sdk\/(contract|support)$/, replacement: source("$1/index.ts") },
    ],
  },
  test: {
    include: ["tests/**/*.test.ts"],
    // One process starts faster than several, and the machine has other things to do.
    maxWorkers: 1,
    isolate: false,
    testTimeout: 20_000,
  },
});
