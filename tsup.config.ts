import { defineConfig, type Options } from "tsup";

const config: Options = {
  entry: { index: "src/index.ts", "cli/main": "src/cli/main.ts" },
  format: "esm",
  target: "node20",
  platform: "node",
  splitting: true,
  sourcemap: true,
  clean: false,
};

export default defineConfig(config) as Options;
