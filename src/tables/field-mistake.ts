import { suggestion } from "../config/nearest-name.js";
import { ReplicaError } from "../errors.js";

/** Something that cannot work, and where it stands. */
export interface FieldMistake {
  readonly field: string;
  /** Goes after the field: `must be ...`. */
  readonly what: string;
}

/** Fields that nobody reads, with the nearest known one. */
export function unknownFields(value: Readonly<Record<string, unknown>>, known: readonly string[]): FieldMistake[] {
  return Object.keys(value)
    .filter((key) => !known.includes(key))
    .map((key) => ({ field: key.slice(0, 80), what: `is unknown: ${suggestion(key.slice(0, 80), known)}` }));
}

/**
 * Does nothing where there is no mistake.
 * @throws `INVALID_TASK` with every mistake in its message
 */
export function verifyNoMistakes(mistakes: readonly FieldMistake[], hint: string): void {
  if (mistakes.length === 0) return;
  const message = mistakes.map(({ field, what }) => (field === "" ? what : `${field} ${what}`)).join("; ");
  throw new ReplicaError("INVALID_TASK", message, { hint });
}
