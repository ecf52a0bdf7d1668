import { ReplicaError } from "../../errors.js";
import { csvValues } from "./csv-value.js";
import type { DumpFormat } from "./dump-format.js";
import { dumpOf } from "./dump-steps.js";
import { FILE_FORMS } from "./file-form.js";
import { openSnapshot } from "./open-snapshot.js";
import { showTable } from "./show-table.js";

/**
 * RFC 4180: CRLF, a row of column names first, UTF-8 (text that is not valid UTF-8 as it is stored). Text and names always stand in
 * quotes and nothing else does: NULL is nothing, the empty text `""`, a BLOB `\x` and hexadecimal digits, infinity `Infinity`.
 */
export const csvFormat: DumpFormat = {
  name: "csv",
  ...FILE_FORMS.csv,
  open: (database, selection) =>
    openSnapshot(database, selection, (reader, { tables }) => {
      const [table] = tables;
      if (table === undefined || tables.length > 1) {
        throw new ReplicaError("INVALID_CONFIGURATION", `A CSV file holds one table, not ${tables.length}.`, {
          hint: "Export one table at a time, or choose sql, json or ndjson.",
        });
      }
      const { columns, rows } = showTable(reader, table);
      const header = columns.map((name) => `"${name.replaceAll('"', '""')}"`).join(",");
      const labels = columns.map((_, index) => (index === 0 ? "" : ","));
      return dumpOf(reader, "csv", [
        { kind: "text", text: () => `${header}\r\n` },
        rows({ begin: () => "", between: "\r\n", end: "\r\n", close: "" }, labels, csvValues(reader.utf16)),
      ]);
    }),
};
