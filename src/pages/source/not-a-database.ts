import { ReplicaError } from "../../errors.js";

/** @param what follows the file's name */
export function notADatabase(path: string, what: string, cause?: unknown): ReplicaError {
  return new ReplicaError("NOT_A_DATABASE", `${path} ${what}`, {
    hint: "Give the path of a plain SQLite file, which `sqlite3 FILE .tables` can open.",
    ...(cause !== undefined && { cause }),
  });
}

/** The file begins as SQLite's do, and goes on otherwise. */
export function badFirstPage(path: string, cause?: unknown): ReplicaError {
  return notADatabase(path, "is no SQLite database that can be read: its first page is not one, or encrypted", cause);
}

export function cutShort(
  path: string,
  bytes: number,
  { pageCount, pageSize }: { readonly pageCount: number; readonly pageSize: number },
  cause?: unknown,
): ReplicaError {
  const needed = `${pageCount} pages of ${pageSize} bytes take ${pageCount * pageSize}`;
  return notADatabase(path, `is cut short: it has ${bytes} bytes, where ${needed}`, cause);
}
