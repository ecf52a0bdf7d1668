import type { SourceTable } from "../source-table.js";
import type { KeyRange, ReadRequest, SourceBatch } from "../table-source.js";
import type { Connections } from "./connections.js";
import { rangeSql } from "./key-range-sql.js";
import type { Quantity } from "./quantity.js";
import { quoteName, quoteTable } from "./quote-name.js";
import { type BatchOptions, RowBatches, type RowShape } from "./row-batches.js";
import { quantities, selectList } from "./select-list.js";
import type { ServerInfo, Session } from "./session.js";
import { columnOf } from "./table-columns.js";
import { ruleOf } from "./type-rules.js";

interface Query {
  readonly text: string;
  readonly values: readonly string[];
  readonly shape: RowShape;
}

/** How long the rest of a fetch may take when the reader has had enough, before the connection is given up instead. */
const STOP_MS = 250;

export function readKeyset(connections: Connections, request: ReadRequest): AsyncGenerator<SourceBatch> {
  const query = keysetQuery(request);
  const { batchSize, wholeTies = false } = request;
  // Without a keyset all rows are ties of each other.
  const options: BatchOptions = { batchSize, wholeTies, exact: false, table: request.table.name };
  return readBatches(connections, () => query, options, request.signal);
}

export function readKeyRange(
  connections: Connections,
  table: SourceTable,
  range: KeyRange,
  batchSize: number,
  signal: AbortSignal,
): AsyncGenerator<SourceBatch> {
  const query = (info: ServerInfo): Query => {
    const { where, values, orderBy } = rangeSql(table, range, info.utf8);
    const text = `SELECT ${selectList(table)} FROM ${quoteTable(table)} t WHERE ${where}${orderBy === "" ? "" : ` ORDER BY ${orderBy}`}`;
    return { text, values, shape: { columns: quantities(table), keyset: [], keysetKinds: [] } };
  };
  return readBatches(connections, query, { batchSize, wholeTies: false, exact: true, table: table.name }, signal);
}

function keysetQuery(request: ReadRequest): Query {
  const { table, keyset } = request;
  const values: string[] = [];
  const reference = (name: string): string => `t.${quoteName(name)}`;
  const parameter = (name: string, value: string): string => {
    values.push(value);
    return `$${values.length}::${columnOf(table, name).sourceType}`;
  };
  const conditions: string[] = [];
  const { after, above, below, whereNull } = request;
  const first = keyset[0];
  if (whereNull !== undefined) conditions.push(`${reference(whereNull)} IS NULL`);
  if (first !== undefined) {
    if (request.skipNulls === true) conditions.push(`${reference(first)} IS NOT NULL`);
    if (above !== undefined)
      conditions.push(`${reference(first)} ${above.inclusive ? ">=" : ">"} ${parameter(first, above.value)}`);
    if (below !== undefined)
      conditions.push(`${reference(first)} ${below.inclusive ? "<=" : "<"} ${parameter(first, below.value)}`);
    if (after !== undefined) {
      const parameters = keyset.map((name, index) => parameter(name, after[index] ?? ""));
      conditions.push(`(${keyset.map(reference).join(", ")}) > (${parameters.join(", ")})`);
    }
  }
  const { extra, ...shape } = keysetShape(table, keyset);
  const [direction, limit] = request.lastOnly === true ? [" DESC", " LIMIT 1"] : ["", ""];
  const orderBy = keyset.map((name) => reference(name) + direction).join(", ");
  const text = `SELECT ${[selectList(table), ...extra].join(", ")} FROM ${quoteTable(table)} t${
    conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`
  }${orderBy === "" ? "" : ` ORDER BY ${orderBy}`}${limit}`;
  return { text, values, shape };
}

/** What is selected is the source's own text for most types; for the others that is selected too. */
function keysetShape(table: SourceTable, keyset: readonly string[]): RowShape & { extra: string[] } {
  const extra: string[] = [];
  const indexes = keyset.map((name) => {
    const index = table.columns.indexOf(columnOf(table, name));
    if (ruleOf(columnOf(table, name).mapping).selectsSource) return index;
    extra.push(`t.${quoteName(name)}::text`);
    return table.columns.length + extra.length - 1;
  });
  const keysetKinds = keyset.map((name): Quantity => {
    const { mapping } = columnOf(table, name);
    return mapping === "decimal-text" ? "decimal" : ruleOf(mapping).read;
  });
  return { columns: quantities(table), keyset: indexes, keysetKinds, extra };
}

async function* readBatches(
  connections: Connections,
  build: (info: ServerInfo) => Query,
  options: BatchOptions,
  signal: AbortSignal,
): AsyncGenerator<SourceBatch> {
  const what = `reading "${options.table}"`;
  const session = await connections.acquire(what, "REPEATABLE READ", signal, true);
  let clean = false;
  try {
    const { text, values, shape } = build(session.info);
    const batches = new RowBatches(shape, options);
    const stream = session.stream(text, values);
    let ended = false;
    try {
      while (!ended) {
        const { rows, bytes } = await connections.unlessAborted(stream.take(batches.wanted), signal);
        ended = rows.length === 0;
        if (!ended) batches.add(rows, bytes);
        for (let batch = batches.next(ended); batch !== undefined; batch = batches.next(ended)) {
          yield batch;
          signal.throwIfAborted();
        }
      }
    } finally {
      clean = ended || (!signal.aborted && (await stopped(stream)));
    }
  } catch (error) {
    throw connections.mapError(error, what, signal);
  } finally {
    connections.release(session, true, clean);
  }
}

async function stopped(stream: ReturnType<Session["stream"]>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, STOP_MS, false);
  });
  const result = await Promise.race([stream.stop().then(() => true), late]);
  clearTimeout(timer);
  return result;
}
