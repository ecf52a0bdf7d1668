import { ReplicaError } from "../../errors.js";

/** Whose file it is: `PAGE_STORE` on a page server, `LOCAL_DATABASE` beside a local database. */
export type HashFileCode = "PAGE_STORE" | "LOCAL_DATABASE";

/** What the file system says about a file of hashes, as ours; anything else as it is. To be thrown. */
export function mapHashFileError(error: unknown, path: string, code: HashFileCode): unknown {
  if (error instanceof ReplicaError || !(error instanceof Error) || !("code" in error)) return error;
  const isFull = error.code === "ENOSPC" || error.code === "EDQUOT";
  const words = isFull ? "cannot be written: the disk is full" : `failed: ${error.message}`;
  return new ReplicaError(code, `The file of page hashes ${path} ${words}`, {
    hint: isFull ? "Free space on that disk." : "Check that its folder exists, and that this user may write there.",
    retryable: true,
    cause: error,
  });
}
