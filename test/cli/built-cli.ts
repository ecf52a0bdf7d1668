import { fileURLToPath } from "node:url";

/** The command, as the run's set-up has built it (test/global-setup.ts). */
export const BUILT_CLI: string = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
