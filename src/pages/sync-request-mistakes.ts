import { showValue } from "../config/show-value.js";

/** What is wrong with the path of a local file. */
export function fileMistakes(file: unknown): string[] {
  if (typeof file !== "string" || file.trim() === "") {
    return [`file must be the path of a SQLite file, got ${showValue(file)}`];
  }
  if (file.includes("\0")) return ["file must not have a NUL character in it"];
  if (/^(file|https?|wss?|sqlite):/i.test(file) || file === ":memory:") {
    return [`file must be a path, not ${file === ":memory:" ? "a database in memory" : "a URL"}`];
  }
  return [];
}

/** What is wrong with a token. It is not shown: whatever it is, it may be a secret. */
export function tokenMistakes(token: unknown): string[] {
  if (typeof token !== "string" || token === "") return ["token must be a sync token, a text"];
  return /[^\x21-\x7e]/.test(token) ? ["token has characters that no token has: spaces, line ends, others"] : [];
}
