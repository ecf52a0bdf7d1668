import type { DumpFormat } from "./dump-format.js";

/** What files of each format are called and said to be. Apart from the formats, so that the main thread need not load those. */
export const FILE_FORMS: {
  readonly [Name in DumpFormat["name"]]: Pick<DumpFormat, "fileExtension" | "mediaType">;
} = {
  sql: { fileExtension: ".sql", mediaType: "application/sql" },
  csv: { fileExtension: ".csv", mediaType: "text/csv; charset=utf-8; header=present" },
  json: { fileExtension: ".json", mediaType: "application/json" },
  ndjson: { fileExtension: ".ndjson", mediaType: "application/x-ndjson" },
};
