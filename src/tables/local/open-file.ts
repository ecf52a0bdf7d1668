import { constants } from "node:fs";
import { access, mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { ReplicaError } from "../../errors.js";

/**
 * Makes the parent folder and looks at what SQLite would only fail on later, in words of its own.
 * @param path absolute
 * @throws `LOCAL_DATABASE` for a folder, a file or parent folder that cannot be written to, a parent that is a file.
 */
export async function prepareFile(path: string): Promise<void> {
  const what = `The local database ${path} cannot be opened`;
  const folder = dirname(path);
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw refusal(`${what}: its folder ${folder} cannot be made (${codeOf(error)})`, error);
  }
  const found = await stat(path).catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return undefined;
    throw refusal(`${what} (${codeOf(error)})`, error);
  });
  if (found !== undefined && !found.isFile()) {
    throw refusal(
      `${what}: it is ${found.isDirectory() ? "a folder" : "not a file"}`,
      undefined,
      "Give the path of a file.",
    );
  }
  // SQLite keeps two files beside it (`-wal`, `-shm`), so the folder counts too.
  for (const place of found === undefined ? [folder] : [path, folder]) {
    try {
      await access(place, constants.R_OK | constants.W_OK);
    } catch (error) {
      throw refusal(`${what}: ${place} cannot be written to (${codeOf(error)})`, error);
    }
  }
}

function refusal(message: string, cause: unknown, hint = "Give this user the right to write there."): ReplicaError {
  return new ReplicaError("LOCAL_DATABASE", message, {
    hint,
    retryable: true,
    ...(cause === undefined ? {} : { cause }),
  });
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}
