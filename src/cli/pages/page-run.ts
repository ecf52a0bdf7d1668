import type { Output } from "../demo/terminal.js";

/** Carries out a command at a page server. @returns whether all went well; what did not has been told */
export type PageRun = (args: readonly string[], output: Output) => Promise<boolean>;
