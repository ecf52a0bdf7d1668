/** A value of a CSV file, with whether it stood in quotes. */
export interface CsvField {
  readonly text: string;
  readonly quoted: boolean;
}

/** Reads RFC 4180 to the letter: CRLF after every record, the same number of fields in each. Bytes come as latin1. @throws on anything else. */
export function parseCsv(bytes: Buffer): CsvField[][] {
  const text = bytes.toString("latin1");
  const records: CsvField[][] = [];
  let record: CsvField[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y;
  while (field.lastIndex < text.length) {
    const at = field.lastIndex;
    const match = field.exec(text);
    if (match === null) throw new Error(`No CSV at byte ${at}: ${JSON.stringify(text.slice(at, at + 40))}`);
    const [, quoted, plain, end] = match;
    record.push({
      text: quoted === undefined ? (plain ?? "") : quoted.replaceAll('""', '"'),
      quoted: quoted !== undefined,
    });
    if (end === ",") continue;
    if (records[0] !== undefined && record.length !== records[0].length)
      throw new Error(`Record ${records.length} is uneven`);
    records.push(record);
    record = [];
  }
  if (record.length > 0) throw new Error("The last record has no end");
  return records;
}
