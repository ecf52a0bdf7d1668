import type { SourceTable } from "../source-table.js";
import type { Quantity } from "./quantity.js";
import { quoteName } from "./quote-name.js";
import { ruleOf } from "./type-rules.js";

/** All columns of `t`, as texts for {@link quantities} to tell apart. */
export function selectList(table: SourceTable): string {
  return table.columns.map(({ name, mapping }) => ruleOf(mapping).select(`t.${quoteName(name)}`)).join(", ");
}

/** What the texts of {@link selectList} are. */
export function quantities(table: SourceTable): Quantity[] {
  return table.columns.map(({ mapping }) => ruleOf(mapping).read);
}
