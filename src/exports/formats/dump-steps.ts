import { isSqliteError, mapSqliteError } from "../../sqlite/map-sqlite-error.js";
import type { Dump } from "./dump-format.js";
import type { DumpPartEnd, DumpPosition } from "./dump-position.js";
import type { SnapshotReader } from "./snapshot-reader.js";
import type { TableRows, WrittenRows } from "./table-rows.js";

/** A piece of a dump. */
export type DumpStep =
  | { readonly kind: "text"; readonly text: () => string | Buffer }
  | { readonly kind: "rows"; readonly table: string; readonly rows: TableRows }
  /** Rows that no position can stand between. */
  | {
      readonly kind: "stream";
      readonly table: string;
      readonly chunks: () => Iterable<{ text: Buffer; rows: number }>;
    };

const PART_BYTES = 1024 * 1024;
/** Goes up with every change to what comes out. */
const FORM = 1;

/** A dump that is these steps, one after another. */
export function dumpOf(reader: SnapshotReader, name: string, steps: readonly DumpStep[]): Dump {
  return {
    fingerprint: `${name}/${FORM} sqlite/${reader.sqliteVersion}`,
    tables: steps.flatMap((step) => (step.kind === "text" ? [] : [step.table])),
    part: (position) => writePart(steps, position),
  };
}

function* writePart(steps: readonly DumpStep[], position: DumpPosition): Generator<Buffer, DumpPartEnd, void> {
  let { step: index, after } = position;
  let pace: WrittenRows["pace"] | undefined;
  const rowsOf: [table: number, rows: number][] = [];
  let bytes = 0;
  const count = (rows: number) => {
    const table = tablesIn(steps, index);
    const last = rowsOf.at(-1);
    if (last?.[0] === table) last[1] += rows;
    else if (rows > 0) rowsOf.push([table, rows]);
  };
  for (let step = steps[index]; step !== undefined; step = steps[index]) {
    let isWhole = true;
    try {
      if (step.kind === "text") {
        const text = Buffer.from(step.text());
        bytes += text.length;
        if (text.length > 0) yield text;
      } else if (step.kind === "stream") {
        for (const chunk of step.chunks()) {
          bytes += chunk.text.length;
          count(chunk.rows);
          yield chunk.text;
        }
      } else {
        const chunks = step.rows.write(after, pace);
        let chunk = chunks.next();
        try {
          for (; chunk.done !== true; chunk = chunks.next()) {
            bytes += chunk.value.length;
            yield chunk.value;
          }
        } finally {
          if (chunk.done !== true) chunks.return(null);
        }
        const written = chunk.value;
        if (written !== null) {
          count(written.rows);
          ({ last: after, pace } = written);
          // So that what follows a part is never nothing.
          isWhole = bytes >= PART_BYTES && !step.rows.hasMore(after);
        }
      }
    } catch (error) {
      throw isSqliteError(error) ? mapSqliteError(error, whatOf(step)) : error;
    }
    if (isWhole) {
      index += 1;
      after = null;
      pace = undefined;
    }
    if (bytes >= PART_BYTES && index < steps.length) {
      return { next: { step: index, after }, ...countsOf(steps, index, rowsOf) };
    }
  }
  return { next: null, ...countsOf(steps, steps.length, rowsOf) };
}

function countsOf(steps: readonly DumpStep[], end: number, rowsOf: DumpPartEnd["rowsOf"]): Omit<DumpPartEnd, "next"> {
  return { rows: rowsOf.reduce((sum, [, rows]) => sum + rows, 0), rowsOf, tablesDone: tablesIn(steps, end) };
}

function whatOf(step: DumpStep): string {
  return step.kind === "text" ? "Exporting the schema" : `Exporting table "${step.table}"`;
}

function tablesIn(steps: readonly DumpStep[], end: number): number {
  let tables = 0;
  for (const step of steps.slice(0, end)) if (step.kind !== "text") tables += 1;
  return tables;
}
