import type { DumpFormatName } from "./dump-selection.js";

/** What a file is called and said to be. */
export interface FileForm {
  /** With its dot. */
  readonly fileExtension: string;
  readonly mediaType: string;
}

/** Of each format. Apart from the formats, so that the main thread need not load those. */
export const FILE_FORMS: { readonly [Name in DumpFormatName]: FileForm } = {
  sql: { fileExtension: ".sql", mediaType: "application/sql" },
  csv: { fileExtension: ".csv", mediaType: "text/csv; charset=utf-8; header=present" },
  json: { fileExtension: ".json", mediaType: "application/json" },
  ndjson: { fileExtension: ".ndjson", mediaType: "application/x-ndjson" },
};
