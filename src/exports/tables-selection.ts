import type { DumpSelection } from "./formats/dump-selection.js";

/** What a dump is told of tables that were asked for by name, or not. `except` counts where all are. */
export function tablesSelection(tables: readonly string[] | null, except: readonly string[]): DumpSelection {
  return tables === null ? { tables: "all", except } : { tables };
}
