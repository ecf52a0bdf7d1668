import { defineConfig, type ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/global-setup.ts"],
    passWithNoTests: false,
    testTimeout: 20_000,
    hookTimeout: 30_000,
    // Real servers and real processes, which wait for each other as much as they work: three files at a time is what two cores carry.
    maxWorkers: 3,
  },
});

export default config;
