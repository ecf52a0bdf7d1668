import { suggestion } from "../config/nearest-name.js";
import { showValue } from "../config/show-value.js";
import { ConfigurationError } from "../errors.js";
import { foldName } from "../sqlite/identifier.js";
import { definitionMistakes } from "./definition-mistakes.js";
import { sourceUrlMistake } from "./source-url-mistake.js";
import type { TableReplicationOptions } from "./table-replication-options.js";
import type { TableTaskDefinition } from "./tasks/table-task.js";
import { targetOf } from "./tasks/target-of.js";
import { wholeNumberMistake } from "./value-mistakes.js";

/** Options with their defaults filled in. */
export interface TableSettings extends TableReplicationOptions {
  readonly sources: Readonly<Record<string, string>>;
  readonly tasks: readonly TableTaskDefinition[];
  readonly syncIntervalSeconds: number;
  readonly lagSeconds: number;
  readonly concurrency: number;
  readonly runTimeoutMs: number;
  readonly queryTimeoutMs: number;
}

const KNOWN: Readonly<Record<keyof TableReplicationOptions, true>> = {
  database: true,
  sources: true,
  source: true,
  tables: true,
  tasks: true,
  syncIntervalSeconds: true,
  batchSize: true,
  numeric: true,
  lagSeconds: true,
  concurrency: true,
  runTimeoutMs: true,
  queryTimeoutMs: true,
  beforeQuery: true,
  afterQuery: true,
  onError: true,
  onProgress: true,
  backOff: true,
};
const NUMBERS = [
  "syncIntervalSeconds",
  "batchSize",
  "lagSeconds",
  "concurrency",
  "runTimeoutMs",
  "queryTimeoutMs",
] as const;
const HOOKS = ["beforeQuery", "afterQuery", "onError", "onProgress"] as const;

/** What a source is called that was given alone. */
const ONLY_SOURCE = "main";

/**
 * Checks options that may come from JavaScript or a file.
 * @throws ConfigurationError with every mistake at once
 */
export function parseTableSettings(options: TableReplicationOptions): TableSettings {
  const mistakes: string[] = [];
  if (!isRecord(options)) throw new ConfigurationError(["the options of createTableReplication must be an object"]);
  const known = Object.keys(KNOWN);
  for (const key of Object.keys(options))
    if (!known.includes(key)) mistakes.push(`unknown option "${key}": ${suggestion(key, known)}`);
  const { database, numeric } = options;
  if (typeof database !== "string" || database === "" || database === ":memory:" || database.includes("\0"))
    mistakes.push('database must be the path of the local SQLite file, for instance "./data/replica.db"');
  const sources = parseSources(options, mistakes);
  const tasks = parseTasks(options, Object.keys(sources), mistakes);
  for (const key of NUMBERS) {
    const mistake = wholeNumberMistake(key, options[key]);
    if (mistake !== null) mistakes.push(`${key} ${mistake}`);
  }
  if (numeric !== undefined && numeric !== "real" && numeric !== "text")
    mistakes.push(`numeric must be "real" or "text", got ${showValue(numeric)}`);
  for (const key of HOOKS) {
    if (options[key] !== undefined && typeof options[key] !== "function")
      mistakes.push(`${key} must be a function, got ${showValue(options[key])}`);
  }
  mistakes.push(...backOffMistakes(options.backOff));
  if (mistakes.length > 0) throw new ConfigurationError(mistakes);
  return {
    ...options,
    sources,
    tasks,
    syncIntervalSeconds: options.syncIntervalSeconds ?? 300,
    lagSeconds: options.lagSeconds ?? 5,
    concurrency: options.concurrency ?? 4,
    runTimeoutMs: options.runTimeoutMs ?? 600_000,
    queryTimeoutMs: options.queryTimeoutMs ?? 30_000,
  };
}

function parseSources(options: TableReplicationOptions, mistakes: string[]): Readonly<Record<string, string>> {
  const { source, sources, database } = options;
  if (source !== undefined) {
    const mistake = sourceUrlMistake(source, database);
    if (mistake !== null) mistakes.push(`source ${mistake}`);
    if (sources !== undefined) mistakes.push("source and sources exclude each other: put all into sources");
    return { [ONLY_SOURCE]: source };
  }
  if (!isRecord(sources) || Object.keys(sources).length === 0) {
    mistakes.push('sources must name at least one database, for instance { main: "postgres://user:password@host/db" }');
    return {};
  }
  for (const [name, url] of Object.entries(sources)) {
    const mistake = sourceUrlMistake(url, database);
    if (mistake !== null) mistakes.push(`sources.${name} ${mistake}`);
    if (name === "") mistakes.push("sources has an entry without a name");
  }
  return sources;
}

function parseTasks(
  options: TableReplicationOptions,
  sources: readonly string[],
  mistakes: string[],
): TableTaskDefinition[] {
  const { tables = [], tasks = [] } = options;
  const places: [string, unknown][] = [];
  if (Array.isArray(tables)) {
    const wrong = (index: number): string => `tables[${index}] must be the name of a table, got`;
    for (const [index, table] of tables.entries()) {
      if (typeof table === "string") places.push([`tables[${index}]`, { sourceTable: table }]);
      else mistakes.push(`${wrong(index)} ${showValue(table)}: what has settings of its own goes into tasks`);
    }
  } else mistakes.push('tables must be a list of names, for instance ["users", "orders"]');
  if (Array.isArray(tasks)) places.push(...tasks.map((task, index): [string, unknown] => [`tasks[${index}]`, task]));
  else mistakes.push('tasks must be a list, for instance [{ sourceTable: "users" }]');
  const targets = new Map<string, string>();
  for (const [place, definition] of places) {
    const found = definitionMistakes(definition, sources);
    for (const { field, what } of found)
      mistakes.push(field === "" ? `${place}: ${what}` : sentence(place, field, what));
    if (found.length > 0) continue;
    const target = targetOf(definition as TableTaskDefinition);
    const other = targets.get(foldName(target));
    if (other === undefined) targets.set(foldName(target), place);
    else mistakes.push(`${place} fills the local table "${target}", as ${other} does: give one another targetTable`);
  }
  return places.map(([, definition]) => definition as TableTaskDefinition);
}

function sentence(place: string, field: string, what: string): string {
  // The short form has no fields of its own.
  if (!place.startsWith("tables")) return `${place}.${field} ${what}`;
  return field === "source" ? `${place}: as a task with \`source\`, which ${what}` : `${place} ${what}`;
}

function backOffMistakes(backOff: unknown): string[] {
  if (backOff === undefined) return [];
  if (!isRecord(backOff)) return [`backOff must be an object such as { baseMs: 1000 }, got ${showValue(backOff)}`];
  const mistakes: string[] = [];
  for (const [key, value] of Object.entries(backOff)) {
    if (key !== "baseMs" && key !== "capMs")
      mistakes.push(`unknown option "backOff.${key}": ${suggestion(key, ["baseMs", "capMs"])}`);
    else if (value !== undefined && !(Number.isFinite(value) && (value as number) >= 1))
      mistakes.push(`backOff.${key} must be a number of milliseconds from 1, got ${showValue(value)}`);
  }
  return mistakes;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
