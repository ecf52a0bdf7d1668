import type { DocumentContent } from "../modes/document-content.js";
import type { BaseRecord } from "./base-record.js";
import type { LocalState } from "./local-copy.js";

/** The local side of a merge; `LocalCopy` is one. */
export interface MergeableCopy {
  read(): Promise<LocalState>;
  readHash(): Promise<string | null>;
  write(content: DocumentContent, expected: LocalState): Promise<boolean>;
}

/** What a section of work on a merged document sees. */
export interface MergeState {
  readonly record: BaseRecord;
  readonly local: LocalState;
}

/** What the last pull has shown of the primary; `unknown` where one is needed first. */
export type PrimaryState = "unknown" | "document" | "missing";
