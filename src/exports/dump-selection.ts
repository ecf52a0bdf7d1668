import type { ExportSelection } from "./export-job.js";
import type { DumpSelection } from "./formats/dump-format.js";

/**
 * What a request means for a format. One table named is that table alone: its rows bare, without its name around them.
 * @param except tables that are left out where none are named.
 */
export function dumpSelection({ tables }: ExportSelection, except: readonly string[]): DumpSelection {
  const [table, ...others] = tables ?? [];
  if (table !== undefined && others.length === 0) return { table };
  return tables === null || tables === undefined ? { tables: "all", except } : { tables };
}
