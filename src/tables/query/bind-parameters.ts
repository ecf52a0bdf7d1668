import { ReplicaError } from "../../errors.js";
import type { SqliteValue } from "../../sqlite/sqlite-value.js";
import type { QueryParameters } from "./query-result.js";

/** What better-sqlite3 is given: values in order, or one object and a value for each number that the SQL leaves out. */
export type BoundParameters =
  | readonly SqliteValue[]
  | readonly [Readonly<Record<string, SqliteValue>>, ...(readonly SqliteValue[])];

/** SQLite's own limit (https://sqlite.org/limits.html#max_variable_number). */
const MAX_NUMBER = 32_766;

/**
 * The caller's parameters in the driver's form.
 * @param wanted the parameters in the SQL, as they stand there.
 * @throws `QUERY_FAILED` for a wrong number of values, an unknown or missing name, a value that SQLite has no form for.
 */
export function bindParameters(wanted: readonly string[], given: QueryParameters): BoundParameters {
  if (typeof given !== "object" || given === null || given instanceof Uint8Array) {
    throw failed("The parameters are an array, or an object by name.");
  }
  const names = [...new Set(wanted.filter((name) => name !== "?").map((name) => name.slice(1)))];
  if (names.length > 0 && wanted.includes("?")) {
    throw failed(
      `The SQL mixes ? with ${wanted.find((name) => name !== "?")}.`,
      "Name all of its parameters, or none.",
    );
  }
  if (names.length === 0) return bindInOrder(wanted.length, given);
  if (!Array.isArray(given)) {
    return [bindByName(names, given as Readonly<Record<string, SqliteValue>>), ...fillGaps(wanted)];
  }
  if (!wanted.every((name) => /^\?\d+$/.test(name))) {
    throw failed(
      `The SQL has named parameters (${wanted.join(", ")}), and the values came as an array.`,
      "Give an object.",
    );
  }
  const highest = Math.max(...names.map(Number));
  if (given.length !== highest) throw failed(countMistake(highest, given.length));
  const values = Array.from(given as readonly SqliteValue[], (value, index) => toBound(value, String(index + 1)));
  return [Object.fromEntries(names.map((name) => [name, values[Number(name) - 1] ?? null])), ...fillGaps(wanted)];
}

/** To SQLite `?3` alone is the third of three parameters. The driver wants values for the first two, which have no name and no effect. */
function fillGaps(wanted: readonly string[]): readonly null[] {
  const used = new Set<number>();
  let highest = 0;
  for (const name of wanted) {
    const number = name.startsWith("?") ? Number(name.slice(1)) : highest + 1;
    highest = Math.max(highest, number);
    used.add(number);
  }
  // SQLite refuses higher ones itself, and ?0.
  return highest > MAX_NUMBER || used.has(0) ? [] : new Array<null>(highest - used.size).fill(null);
}

function bindInOrder(count: number, given: QueryParameters): readonly SqliteValue[] {
  const values = Array.isArray(given) ? given : undefined;
  if (values === undefined && Object.keys(given).length > 0) {
    throw failed(
      `The SQL has no parameter named ${JSON.stringify(Object.keys(given)[0])}.`,
      "Write :name in the SQL, or give an array for ?.",
    );
  }
  if ((values?.length ?? 0) !== count) throw failed(countMistake(count, values?.length ?? 0));
  // `map` would leave out holes.
  return Array.from(values ?? [], (value, index) => toBound(value, String(index + 1)));
}

function bindByName(
  names: readonly string[],
  given: Readonly<Record<string, SqliteValue>>,
): Record<string, SqliteValue> {
  for (const name of Object.keys(given)) {
    if (names.includes(name)) continue;
    const bare = /^[:@$?]/.test(name) && names.includes(name.slice(1));
    throw failed(
      `The SQL has no parameter named ${JSON.stringify(name)}.`,
      bare ? `Leave the ${name[0]} out of the name.` : `It has ${names.join(", ")}.`,
    );
  }
  return Object.fromEntries(
    names.map((name) => {
      if (!Object.hasOwn(given, name)) throw failed(`No value for the parameter ${name} was given.`);
      return [name, toBound(given[name], name)];
    }),
  );
}

/** The driver binds every `number` as a REAL, which is not equal to the same integer where text is compared, and `LIMIT` wants one. */
function toBound(value: unknown, name: string): SqliteValue {
  if (value === null || typeof value === "string") return value;
  if (typeof value === "number" && !Number.isNaN(value)) return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof value === "bigint") {
    if (BigInt.asIntN(64, value) === value) return value;
    throw failed(`The parameter ${name} is an integer of more than 64 bits.`);
  }
  if (value instanceof Uint8Array) return value;
  if (typeof value === "boolean")
    throw failed(`The parameter ${name} is a boolean, which SQLite does not have.`, "Give 1 or 0.");
  const kind = Number.isNaN(value)
    ? "NaN"
    : value === undefined
      ? "undefined"
      : Array.isArray(value)
        ? "an array"
        : `of type ${typeof value}`;
  throw failed(`The parameter ${name} is ${kind}.`, "Give null, a number, a bigint, a string or a Uint8Array.");
}

function countMistake(wanted: number, given: number): string {
  return `The SQL has ${wanted} parameter${wanted === 1 ? "" : "s"}, and ${given} value${given === 1 ? " was" : "s were"} given.`;
}

function failed(message: string, hint?: string): ReplicaError {
  return new ReplicaError("QUERY_FAILED", message, hint === undefined ? {} : { hint });
}
