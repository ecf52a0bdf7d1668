import { suggestion } from "../config/nearest-name.js";
import { showValue } from "../config/show-value.js";
import { type FieldMistake, unknownFields } from "./field-mistake.js";
import { targetNameMistake } from "./local/target-name.js";
import { wholeNumberMistake } from "./value-mistakes.js";

const DEFINITION_FIELDS = [
  "source",
  "sourceTable",
  "targetTable",
  "columns",
  "cursorColumn",
  "mode",
  "intervalSeconds",
  "batchSize",
  "deletes",
  "numeric",
] as const;
const CHANGE_FIELDS = ["paused", "intervalSeconds", "batchSize"] as const;
const MODES = ["append", "upsert", "full"] as const;
const MAX_NAME = 512;
const MAX_COLUMNS = 2_000;

/** What is wrong with a `TableTaskDefinition` that may come from anywhere. `sources`: the names there are. */
export function definitionMistakes(definition: unknown, sources: readonly string[]): FieldMistake[] {
  if (!isRecord(definition)) return [{ field: "", what: 'a task must be an object, such as { sourceTable: "users" }' }];
  const mistakes = unknownFields(definition, DEFINITION_FIELDS);
  const say = (field: string, what: string | null): void => {
    if (what !== null) mistakes.push({ field, what });
  };
  say("sourceTable", nameMistake(definition.sourceTable, 'for instance "users" or "sales.orders"'));
  const { source, targetTable, columns, cursorColumn, mode, deletes, numeric } = definition;
  say("source", sourceMistake(source, sources));
  if (targetTable !== undefined)
    say("targetTable", nameMistake(targetTable) ?? targetNameMistake(targetTable as string));
  if (columns !== undefined && columns !== null) mistakes.push(...columnMistakes(columns));
  if (cursorColumn !== undefined && cursorColumn !== null) say("cursorColumn", nameMistake(cursorColumn));
  if (mode !== undefined) say("mode", choiceMistake(mode, MODES));
  if (mode === "full" && typeof cursorColumn === "string")
    say("cursorColumn", 'has no use with mode "full", which copies the whole table each time: leave one of them out');
  if (deletes !== undefined && deletes !== null) say("deletes", choiceMistake(deletes, ["reconcile"]));
  if (numeric !== undefined) say("numeric", choiceMistake(numeric, ["real", "text"]));
  return [...mistakes, ...numberMistakes(definition)];
}

/** What is wrong with a `TaskChange` that may come from anywhere. */
export function changeMistakes(change: unknown): FieldMistake[] {
  if (!isRecord(change)) return [{ field: "", what: "a change must be an object, such as { paused: true }" }];
  const mistakes = unknownFields(change, CHANGE_FIELDS);
  const { paused } = change;
  if (paused !== undefined && typeof paused !== "boolean")
    mistakes.push({ field: "paused", what: `must be true or false, got ${showValue(paused)}` });
  return [...mistakes, ...numberMistakes(change)];
}

function numberMistakes({ intervalSeconds, batchSize }: Readonly<Record<string, unknown>>): FieldMistake[] {
  const mistakes: FieldMistake[] = [];
  const interval = wholeNumberMistake("intervalSeconds", intervalSeconds);
  if (interval !== null) mistakes.push({ field: "intervalSeconds", what: interval });
  const batch = wholeNumberMistake("batchSize", batchSize);
  if (batch !== null) mistakes.push({ field: "batchSize", what: batch });
  return mistakes;
}

function sourceMistake(source: unknown, sources: readonly string[]): string | null {
  if (source === undefined) {
    if (sources.length < 2) return null;
    return `must name one of the sources: ${sources.map((name) => `"${name}"`).join(", ")}`;
  }
  if (typeof source !== "string") return `must be the name of a source, got ${showValue(source)}`;
  return sources.includes(source)
    ? null
    : `${showValue(source)} is unknown: ${suggestion(source.slice(0, 80), sources)}`;
}

function columnMistakes(columns: unknown): FieldMistake[] {
  if (!Array.isArray(columns) || columns.length === 0 || columns.length > MAX_COLUMNS)
    return [
      { field: "columns", what: `must be a list of 1 to ${MAX_COLUMNS} column names, got ${showValue(columns)}` },
    ];
  return columns.flatMap((column, index) => {
    const what =
      nameMistake(column) ?? (columns.indexOf(column) < index ? `${showValue(column)} is listed twice` : null);
    return what === null ? [] : [{ field: `columns[${index}]`, what }];
  });
}

function nameMistake(name: unknown, example = ""): string | null {
  if (typeof name === "string" && name !== "" && name.length <= MAX_NAME && !hasControls(name)) return null;
  const rule = `must be a name of 1 to ${MAX_NAME} characters without control characters`;
  return `${rule}${example && `, ${example}`}, got ${showValue(name)}`;
}

/** Also half a surrogate pair, which no database can keep. */
function hasControls(name: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  return /[\u0000-\u001f\u007f]/.test(name) || /[\ud800-\udfff]/u.test(name);
}

function choiceMistake(value: unknown, choices: readonly string[]): string | null {
  if (typeof value === "string" && choices.includes(value)) return null;
  return `must be ${choices.map((choice) => `"${choice}"`).join(", ")}, got ${showValue(value)}`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
