import { defineConfig, type Options } from "tsup";

const config: Options = {
  entry: {
    index: "src/index.ts",
    "feeds/index": "src/feeds/index.ts",
    "cli/main": "src/cli/main.ts",
    "exports/index": "src/exports/index.ts",
    "exports/dump/main": "src/exports/dump/main.ts",
    "exports/jobs/main": "src/exports/jobs/main.ts",
    "pages/index": "src/pages/index.ts",
    "pages/accounts/main": "src/pages/accounts/main.ts",
    "pages/client/main": "src/pages/client/main.ts",
    "tables/index": "src/tables/index.ts",
    "tables/worker/main": "src/tables/worker/main.ts",
    "tables/query/main": "src/tables/query/main.ts",
  },
  format: "esm",
  target: "node20",
  platform: "node",
  splitting: true,
  removeNodeProtocol: false,
  sourcemap: true,
  clean: ["dist/**/*.js", "dist/**/*.js.map"],
};

export default defineConfig(config) as Options;
