import type Database from "better-sqlite3";
import type { CopyTarget } from "./copy-target.js";

/** Told how far a copy is. @throws to end it */
export type CopyHandler = (bytesDone: number, bytesTotal: number) => void;

const STEP_BYTES = 2 * 1024 * 1024;

/**
 * Copies the database page by page. Its connection stands in a read transaction, which nobody's commits reach: so the copy never begins anew.
 * Only where writers go on meanwhile.
 */
export async function copyPages(source: Database.Database, target: CopyTarget, onStep: CopyHandler): Promise<void> {
  const pageBytes = source.pragma("page_size", { simple: true }) as number;
  const step = Math.max(1, STEP_BYTES / pageBytes);
  await source.backup(target.path, {
    progress({ totalPages, remainingPages }) {
      onStep((totalPages - remainingPages) * pageBytes, totalPages * pageBytes);
      return step;
    },
  });
}
