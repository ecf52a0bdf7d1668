import { join } from "node:path";
import Database from "better-sqlite3";
import type { Dump } from "../../../src/exports/formats/dump-format.js";
import { DUMP_FORMATS } from "../../../src/exports/formats/dump-formats.js";
import { DUMP_START, type DumpPartEnd, type DumpPosition } from "../../../src/exports/formats/dump-position.js";
import type { DumpFormatName, DumpSelection } from "../../../src/exports/formats/dump-selection.js";
import { atEnd } from "../../support/at-end.js";
import { tempDir } from "../../support/temp-dir.js";

/** A new file made by `build`, opened read-only as an export finds it. */
export function snapshotOf(build: (database: Database.Database) => void): Database.Database {
  const path = join(tempDir(), "source.db");
  const writer = new Database(path);
  try {
    writer.unsafeMode();
    build(writer);
  } finally {
    writer.close();
  }
  const database = new Database(path, { readonly: true });
  atEnd(() => database.close());
  return database;
}

export interface WrittenPart {
  readonly position: DumpPosition;
  readonly bytes: Buffer;
  readonly largestChunk: number;
  readonly rows: number;
  readonly rowsOf: DumpPartEnd["rowsOf"];
  readonly tablesDone: number;
}

/** One part of a dump. */
export function writePart(dump: Dump, position: DumpPosition): WrittenPart & { readonly next: DumpPosition | null } {
  const chunks: Buffer[] = [];
  const part = dump.part(position);
  let step = part.next();
  for (; step.done !== true; step = part.next()) chunks.push(step.value);
  const largestChunk = Math.max(0, ...chunks.map(({ length }) => length));
  return { ...step.value, position, bytes: Buffer.concat(chunks), largestChunk };
}

/** Every part of a dump, in order. */
export function partsOf(dump: Dump): WrittenPart[] {
  const parts: WrittenPart[] = [];
  for (let position: DumpPosition | null = DUMP_START; position !== null; ) {
    const part = writePart(dump, position);
    parts.push(part);
    position = part.next;
  }
  return parts;
}

/** The whole dump. */
export function dumpBytes(
  database: Database.Database,
  format: DumpFormatName,
  selection: DumpSelection = { tables: "all" },
): Buffer {
  return Buffer.concat(partsOf(DUMP_FORMATS[format].open(database, selection)).map(({ bytes }) => bytes));
}
