import type { RowRange } from "./row-cursor.js";
import { concatSql, sqlText } from "./sql-text.js";
import type { ColumnHint } from "./type-case.js";
import type { ValueFormat } from "./value-format.js";

/** A value of a row: SQL for it, and what stands before it. */
export interface ShapeColumn {
  readonly sql: string;
  readonly hint: ColumnHint;
  readonly label: string;
}

/** How rows of a table are put together from their values. */
export interface RowShape {
  readonly columns: readonly ShapeColumn[];
  /** What stands before some rows that are written together, */
  begin(after: RowRange["after"]): string;
  /** between two of them, */
  readonly between: string;
  /** and after them. */
  readonly end: string;
  /** After the last value of each. */
  readonly close: string;
}

/** SQL for the text of a row, without what stands around it. */
export function rowSql(shape: RowShape, values: ValueFormat, careful: boolean): string {
  const parts: string[] = [];
  for (const column of shape.columns) {
    if (column.label !== "") parts.push(sqlText(column.label));
    parts.push(
      careful && values.careful !== null
        ? values.careful(column.sql, column.hint)
        : values.quick(column.sql, column.hint),
    );
  }
  if (shape.close !== "") parts.push(sqlText(shape.close));
  return concatSql(parts);
}
