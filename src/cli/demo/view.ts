import type { Row } from "./rows.js";

/** What there is to see at one moment. */
export interface Scene {
  readonly rows: readonly Row[];
  /** Whether the primary is running. */
  readonly primaryRuns: boolean;
  /** What the last key has done, or "". */
  readonly news: string;
}

/** Shows the demo at work. */
export interface View {
  /** How often `show` is worth calling. */
  readonly everyMs: number;
  show(scene: Scene): void;
  /** Tells of an error, on stderr. */
  complain(text: string): void;
  close(): void;
}
