import { ReplicaError } from "../../errors.js";

const MAX_CHARACTERS = 100;

/**
 * The name of a database in Unicode's NFC: 1 to 100 printable characters, without space at the ends.
 * @throws `INVALID_ACCOUNT` with what is wrong
 */
export function parseDatabaseName(value: unknown): string {
  if (typeof value !== "string" || value === "") throw invalid("is missing");
  if (value.length > 4 * MAX_CHARACTERS) throw tooLong();
  const name = value.normalize("NFC");
  if ([...name].length > MAX_CHARACTERS) throw tooLong();
  if (name !== name.trim()) throw invalid("begins or ends with a space");
  // Control characters, line and paragraph breaks, halves of characters, and what shows as nothing or turns the direction of text; not the two joiners,
  // which Persian and emoji are written with.
  if (/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]|(?![\u200c\u200d])\p{Cf}/u.test(name)) {
    throw invalid("has a character in it that cannot be printed");
  }
  return name;
}

function tooLong(): ReplicaError {
  return invalid(`is too long: it may have at most ${MAX_CHARACTERS} characters`);
}

function invalid(what: string): ReplicaError {
  return new ReplicaError("INVALID_ACCOUNT", `The name of the database ${what}`, {
    hint: `Give a name of 1 to ${MAX_CHARACTERS} printable characters, such as "shop".`,
  });
}
