import { readFile, rename, rm, writeFile } from "node:fs/promises";

/** What a half file is of. Kept beside it, in `<file>.part.json`. */
export interface PartNote {
  readonly job: string;
  readonly etag: string | null;
  readonly bytes: number;
  readonly sha256: string;
}

/** In one step: half a note would be nobody's. */
export async function writeNote(path: string, note: PartNote): Promise<void> {
  const unfinished = `${path}.${process.pid}`;
  try {
    await writeFile(unfinished, `${JSON.stringify(note)}\n`, { flush: true });
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}

export async function readNote(path: string): Promise<PartNote | null> {
  try {
    const { job, etag, bytes, sha256 } = JSON.parse(await readFile(path, "utf8")) as Partial<Record<string, unknown>>;
    const isNote =
      typeof job === "string" &&
      (etag === null || typeof etag === "string") &&
      Number.isSafeInteger(bytes) &&
      typeof sha256 === "string";
    return isNote ? { job, etag, bytes: bytes as number, sha256 } : null;
  } catch {
    return null;
  }
}
