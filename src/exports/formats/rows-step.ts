import { quoteIdentifier } from "../../sqlite/identifier.js";
import type { DumpStep } from "./dump-steps.js";
import { type RowShape, rowSql } from "./row-shape.js";
import type { SnapshotReader } from "./snapshot-reader.js";
import type { TableLayout } from "./table-layout.js";
import { TableRows } from "./table-rows.js";
import type { ValueFormat } from "./value-format.js";

/** @param gapShape for rows whose rowids are not each one more than the last, where that makes a difference. */
export function rowsStep(
  reader: SnapshotReader,
  name: string,
  { cursor }: TableLayout,
  values: ValueFormat,
  shape: RowShape,
  gapShape: RowShape | null,
): DumpStep {
  if (cursor !== null) {
    return { kind: "rows", table: name, rows: new TableRows(reader, name, cursor, values, shape, gapShape) };
  }
  return { kind: "stream", table: name, chunks: () => streamRows(reader, name, values, shape) };
}

const CHUNK_BYTES = 64 * 1024;

/** Row by row in one go, for the rare table whose rows cannot be named: a row's text must fit into memory several times. */
function* streamRows(
  reader: SnapshotReader,
  name: string,
  values: ValueFormat,
  shape: RowShape,
): Generator<{ text: Buffer; rows: number }> {
  const sql = `SELECT ${reader.bytes(rowSql(shape, values, true))} FROM main.${quoteIdentifier(name)} AS v NOT INDEXED`;
  let after: readonly string[] | null = null;
  let held: Buffer[] = [];
  let bytes = 0;
  for (const [value] of reader.iterate(sql)) {
    const text = values.finish(reader.buffer(value));
    held.push(Buffer.concat([Buffer.from(shape.begin(after)), text, Buffer.from(shape.end)]));
    bytes += text.length;
    after = [];
    if (bytes < CHUNK_BYTES) continue;
    yield { text: Buffer.concat(held), rows: held.length };
    held = [];
    bytes = 0;
  }
  if (held.length > 0) yield { text: Buffer.concat(held), rows: held.length };
}
