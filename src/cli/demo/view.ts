import type { Row } from "./rows.js";

/** Shows the demo at work. */
export interface View {
  /** How often `show` is worth calling. */
  readonly everyMs: number;
  show(rows: readonly Row[]): void;
  /** Tells of an error, on stderr. */
  complain(text: string): void;
  close(): void;
}

/** Where a command prints. */
export interface Output {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}
