import type { DumpFormat } from "./dump-format.js";
import { type DumpStep, dumpOf } from "./dump-steps.js";
import { FILE_FORMS } from "./file-form.js";
import { jsonValues } from "./json-value.js";
import { openSnapshot } from "./open-snapshot.js";
import type { RowRange } from "./row-cursor.js";
import { hasRows, showTable } from "./show-table.js";

/** One table: an array of objects. Several: an object of such arrays by table. Values as {@link jsonValues} says. */
export const jsonFormat: DumpFormat = {
  name: "json",
  ...FILE_FORMS.json,
  open: (database, selection) =>
    openSnapshot(database, selection, (reader, { tables }) => {
      const alone = "table" in selection;
      const shown = tables.filter((table) => alone || hasRows(table)).map((table) => showTable(reader, table));
      const steps = shown.flatMap((table, index): DumpStep[] => {
        const name = `${index === 0 ? "" : ",\n"}${JSON.stringify(table.name)}:[`;
        const begin = (after: RowRange["after"]): string => (after === null ? "\n" : ",\n");
        return [
          { kind: "text", text: () => (alone ? "[" : name) },
          table.rows(
            { begin, between: ",\n", end: "", close: "}" },
            objectLabels(table.columns),
            jsonValues(reader.utf16),
          ),
          { kind: "text", text: () => (alone ? "\n]\n" : "\n]") },
        ];
      });
      if (alone) return dumpOf(reader, "json", steps);
      const open: DumpStep = { kind: "text", text: () => "{\n" };
      const close: DumpStep = { kind: "text", text: () => "\n}\n" };
      return dumpOf(reader, "json", [open, ...steps, close]);
    }),
};

/** One object on each line: the row, or `{"table": ..., "row": ...}` where there are several tables. */
export const ndjsonFormat: DumpFormat = {
  name: "ndjson",
  ...FILE_FORMS.ndjson,
  open: (database, selection) =>
    openSnapshot(database, selection, (reader, { tables }) => {
      const alone = "table" in selection;
      const shown = tables.filter((table) => alone || hasRows(table)).map((table) => showTable(reader, table));
      const steps = shown.map((table) => {
        const labels = objectLabels(table.columns);
        if (!alone) labels[0] = `{"table":${JSON.stringify(table.name)},"row":${labels[0]}`;
        const form = { begin: () => "", between: "\n", end: "\n", close: alone ? "}" : "}}" };
        return table.rows(form, labels, jsonValues(reader.utf16));
      });
      return dumpOf(reader, "ndjson", steps);
    }),
};

function objectLabels(columns: readonly string[]): string[] {
  return columns.map((name, index) => `${index === 0 ? "{" : ","}${JSON.stringify(name)}:`);
}
