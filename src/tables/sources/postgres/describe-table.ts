import { ReplicaError } from "../../../errors.js";
import type { SourceColumn, SourceTable } from "../source-table.js";
import type { DescribeOptions } from "../table-source.js";
import { COLUMNS, ESTIMATE, INDEXES } from "./catalog-sql.js";
import { mappingOf } from "./column-mapping.js";
import { DATABASE, SYSTEM_IDENTIFIER } from "./database-identity-sql.js";
import { FIND_ELSEWHERE, FIND_TABLE } from "./find-table-sql.js";
import { hasIndexedRanges } from "./indexed-ranges.js";
import type { Session } from "./session.js";
import { ruleOf } from "./type-rules.js";

type CatalogRow = Record<string, string | null>;

interface Index {
  readonly primary: boolean;
  readonly unique: boolean;
  /** Numbers of its key's columns; 0 for an expression. */
  readonly columns: readonly number[];
  readonly ordered: boolean;
}

/** Looks a table up in the catalogue, as it is in the session's transaction. */
export async function describeTable(session: Session, name: string, options: DescribeOptions): Promise<SourceTable> {
  const table = await findTable(session, name);
  const oid = table.oid as string;
  const all = await session.query(COLUMNS, [oid]);
  const rows = chooseColumns(all, name, options.columns);
  refuseUnreadable(rows, table, name);
  refuseTwins(rows, name);
  const indexes = (await session.query(INDEXES, [oid])).map(readIndex);
  const [estimate] = await session.query(ESTIMATE, [oid]);
  const database = await databaseIdentity(session);
  const key = indexes.find((index) => index.primary)?.columns ?? [];
  const nameOf = (number: number): string => all.find((row) => Number(row.number) === number)?.name ?? "";
  const primaryKey = key.map(nameOf);
  const missing = primaryKey.find((column) => !rows.some((row) => row.name === column));
  if (missing !== undefined) {
    throw new ReplicaError(
      "INVALID_TASK",
      `columns: "${missing}" belongs to the primary key of "${name}" and is left out`,
      {
        hint: `Add "${missing}" to columns.`,
      },
    );
  }
  const described: SourceTable = {
    schema: table.schema ?? "",
    name: table.name ?? "",
    identity: `${database}:${oid}`,
    columns: rows.map((row) => toColumn(row, name, indexes, key, options.numeric)),
    primaryKey,
    estimatedRows: estimate?.rows === null || estimate?.rows === undefined ? null : Number(estimate.rows),
    rangesIndexed: false,
  };
  const collations = new Map(rows.map((row) => [row.name ?? "", row.collation ?? ""]));
  return { ...described, rangesIndexed: await hasIndexedRanges(session, described, collations) };
}

/** Not kept for the next time: behind a pooler, or after a failover, the same connection leads elsewhere. */
async function databaseIdentity(session: Session): Promise<string> {
  const [database] = await session.query(DATABASE);
  const [system] = database?.may_ask === "t" ? await session.query(SYSTEM_IDENTIFIER) : [];
  return `${system?.id ?? ""}:${database?.oid ?? ""}`;
}

async function findTable(session: Session, name: string): Promise<CatalogRow> {
  const schemas: string[] = [];
  const names: string[] = [];
  for (let dot = name.indexOf("."); dot >= 0; dot = name.indexOf(".", dot + 1)) {
    schemas.push(name.slice(0, dot));
    names.push(name.slice(dot + 1));
  }
  const [table] = await session.query(FIND_TABLE, [name, schemas, names]);
  if (table !== undefined) {
    if (table.usable === "t") return table;
    throw new ReplicaError(
      "SOURCE_REFUSED",
      `The role "${table.role}" may not use the schema "${table.schema}" of "${name}"`,
      {
        hint: `GRANT USAGE ON SCHEMA "${table.schema}" TO "${table.role}"; GRANT SELECT ON "${table.schema}"."${table.name}" TO "${table.role}"`,
      },
    );
  }
  const others = await session.query(FIND_ELSEWHERE, [names.at(-1) ?? name]);
  throw new ReplicaError("TABLE_MISSING", `The source has no table "${name}"`, {
    hint:
      others.length > 0
        ? `Did you mean ${others.map((other) => `"${other.name}"`).join(" or ")}?`
        : "Check the name, capitals included, and that the source's URL names the right database.",
  });
}

function chooseColumns(
  all: readonly CatalogRow[],
  table: string,
  wanted: readonly string[] | undefined,
): readonly CatalogRow[] {
  if (wanted === undefined) return all;
  const unknown = wanted.find((name) => !all.some((row) => row.name === name));
  if (unknown === undefined) return all.filter((row) => wanted.includes(row.name ?? ""));
  throw new ReplicaError("INVALID_TASK", `columns: the table "${table}" has no column "${unknown}"`, {
    hint: `It has: ${all.map((row) => row.name).join(", ")}.`,
  });
}

function refuseUnreadable(rows: readonly CatalogRow[], table: CatalogRow, name: string): void {
  // Nobody can say of a column that has gone since.
  if (rows.some((row) => row.readable === null)) {
    throw new ReplicaError("SOURCE_FAILED", `"${name}" was altered or dropped while it was looked at`, {
      hint: "The next run looks at it anew.",
      retryable: true,
    });
  }
  const hidden = rows.filter((row) => row.readable !== "t").map((row) => `"${row.name}"`);
  if (hidden.length === 0) return;
  const what = hidden.length === rows.length ? `"${name}"` : `${hidden.join(", ")} of "${name}"`;
  throw new ReplicaError("SOURCE_REFUSED", `The role "${table.role}" may not read ${what}`, {
    hint: `GRANT SELECT ON "${table.schema}"."${table.name}" TO "${table.role}"`,
  });
}

/** SQLite does not tell capitals apart in names. */
function refuseTwins(rows: readonly CatalogRow[], table: string): void {
  const seen = new Map<string, string>();
  for (const { name } of rows) {
    const folded = (name ?? "").replace(/[A-Z]/g, (letter) => letter.toLowerCase());
    const twin = seen.get(folded);
    if (twin !== undefined) {
      throw new ReplicaError(
        "INVALID_TASK",
        `The columns "${twin}" and "${name}" of "${table}" differ only in capitals, which SQLite does not tell apart`,
        { hint: "Leave one of them out with `columns`, or rename it in a view." },
      );
    }
    seen.set(folded, name ?? "");
  }
}

function readIndex(row: CatalogRow): Index {
  const numbers = (row.numbers ?? "").split(" ").map(Number);
  return {
    primary: row.is_primary === "t",
    unique: row.is_unique === "t",
    columns: numbers.slice(0, Number(row.key_columns)),
    ordered: row.ordered === "t",
  };
}

function toColumn(
  row: CatalogRow,
  table: string,
  indexes: readonly Index[],
  key: readonly number[],
  numeric: DescribeOptions["numeric"],
): SourceColumn {
  const number = Number(row.number);
  const mapping = mappingOf(
    {
      name: row.type_name ?? "",
      schema: row.type_schema ?? "",
      kind: row.type_kind ?? "",
      array: row.type_array === "t",
    },
    numeric === "text" || key.includes(number),
  );
  if (mapping === null) {
    throw new ReplicaError(
      "UNMAPPABLE_TYPE",
      `"${table}": the column "${row.name}" has the type ${row.source_type}, which has no form in SQLite`,
      {
        hint: "Leave it out with `columns`, or copy a view that casts it, such as ::text.",
      },
    );
  }
  const rule = ruleOf(mapping);
  return {
    name: row.name ?? "",
    identity: row.number ?? "",
    sourceType: row.source_type ?? "",
    nullable: row.not_null !== "t" && !key.includes(number),
    targetType: rule.targetType,
    mapping,
    order: row.deterministic === "t" ? rule.order : null,
    unique: indexes.some((index) => index.unique && index.columns.length === 1 && index.columns[0] === number),
    increasing: row.increasing === "t",
    indexed: indexes.some((index) => index.ordered && index.columns[0] === number),
  };
}
