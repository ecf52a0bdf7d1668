/** What the catalogue says about a column's type, domains resolved. */
export interface CatalogType {
  /** Name in `pg_type`, such as `int4`. */
  readonly name: string;
  /** `pg_catalog`, or wherever an extension or a user put it. */
  readonly schema: string;
  /** `b` base, `c` composite, `e` enum, `m` multirange, `p` pseudo, `r` range. */
  readonly kind: string;
  readonly array: boolean;
}

const BUILT_IN: Readonly<Record<string, string>> = {
  int2: "integer",
  int4: "integer",
  int8: "integer",
  oid: "oid",
  bool: "boolean",
  float4: "float",
  float8: "double",
  text: "text",
  varchar: "text",
  name: "text",
  bpchar: "char",
  bytea: "bytes",
  date: "date",
  timestamp: "timestamp",
  timestamptz: "timestamptz",
};

/** Types whose text is kept; each has a mapping of its own, since one's text need not be another's. */
const AS_TEXT: ReadonlySet<string> = new Set([
  ...[
    "uuid",
    "char",
    "time",
    "timetz",
    "interval",
    "json",
    "jsonb",
    "jsonpath",
    "xml",
    "inet",
    "cidr",
    "macaddr",
    "macaddr8",
  ],
  ...["bit", "varbit", "point", "line", "lseg", "box", "path", "polygon", "circle", "tsvector", "tsquery", "pg_lsn"],
  ...["xid", "xid8", "cid", "tid", "txid_snapshot", "pg_snapshot"],
]);

/** Of extensions, wherever they are installed. */
const EXTENSIONS_AS_TEXT: ReadonlySet<string> = new Set([
  ...["citext", "hstore", "ltree", "vector", "halfvec", "sparsevec"],
]);

/** Name of the rule that keeps values of a type, or `null` where there is none. `exact`: decimals as text. */
export function mappingOf(type: CatalogType, exact: boolean): string | null {
  if (type.array) return `json:${type.name}`;
  if (type.kind === "e") return "text:enum";
  if (type.kind === "c") return `json:${type.name}`;
  if (type.kind === "r" || type.kind === "m") return `text:${type.name}`;
  if (type.kind !== "b") return null;
  if (type.schema !== "pg_catalog") return EXTENSIONS_AS_TEXT.has(type.name) ? `text:${type.name}` : null;
  if (type.name === "numeric") return exact ? "decimal-text" : "decimal";
  if (type.name === "money") return exact ? "money-text" : "money";
  return BUILT_IN[type.name] ?? (AS_TEXT.has(type.name) ? `text:${type.name}` : null);
}
