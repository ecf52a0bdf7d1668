import type { DumpSelection } from "../formats/dump-selection.js";

/** What a job's dump is told. */
export function jobSelection(tables: readonly string[] | null, except: readonly string[]): DumpSelection {
  return tables === null ? { tables: "all", except } : { tables };
}
