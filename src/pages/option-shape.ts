import { suggestion } from "../config/nearest-name.js";
import { showValue } from "../config/show-value.js";

/** Whether it can have options at all. */
export function isRecord(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Names that are no options, each with the one that was meant. */
export function unknownMistakes(options: object, known: readonly string[]): string[] {
  return Object.keys(options)
    .filter((name) => !known.includes(name))
    .map((name) => `unknown option "${name}": ${suggestion(name, known)}`);
}

/** Which of these options are set and neither `true` nor `false`. */
export function booleanMistakes<T extends object>(options: T, names: readonly (keyof T & string)[]): string[] {
  return names
    .filter((name) => options[name] !== undefined && typeof options[name] !== "boolean")
    .map((name) => `${name} must be true or false, got ${showValue(options[name])}`);
}
