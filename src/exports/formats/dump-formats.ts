import { csvFormat } from "./csv-format.js";
import type { DumpFormat } from "./dump-format.js";
import { jsonFormat, ndjsonFormat } from "./json-format.js";
import { sqlFormat } from "./sql-format.js";

/** Every format by its name. */
export const DUMP_FORMATS: { readonly [Name in DumpFormat["name"]]: DumpFormat } = {
  sql: sqlFormat,
  csv: csvFormat,
  json: jsonFormat,
  ndjson: ndjsonFormat,
};
