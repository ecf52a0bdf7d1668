import { type FileHandle, rename, stat } from "node:fs/promises";
import { ReplicaError } from "../../errors.js";
import { syncFolder } from "../../files/durable-folder.js";
import { hasErrorCode } from "../../files/error-code.js";
import type { ArtifactWriter, PartSink, StoredPart } from "./artifact-store.js";
import type { DirectoryPlaces } from "./directory-places.js";
import { mapDirectoryError } from "./map-directory-error.js";

// Small enough that little is done twice after a crash, large enough that syncing costs little.
const MIN_PART_BYTES = 8 * 1024 * 1024;

/** Writes the parts of an artifact one after the other into its half file. */
export class DirectoryWriter implements ArtifactWriter {
  readonly #dir: string;
  readonly #places: DirectoryPlaces;
  /** `null` where the file has its final place already. */
  #file: FileHandle | null;
  /** Where each part ends; that of part 0 is the beginning. */
  readonly #ends: number[];
  /** Writes come one after the other: a disk is no faster with several. */
  #last: Promise<void> = Promise.resolve();
  /** After a failed write or sync nobody knows what the disk has: only a new writer, which reads it again, goes on. */
  #failure: { readonly error: unknown } | undefined;

  constructor(dir: string, places: DirectoryPlaces, file: FileHandle | null, parts: readonly StoredPart[]) {
    this.#dir = dir;
    this.#places = places;
    this.#file = file;
    let end = 0;
    this.#ends = [0, ...parts.map((part) => (end += part.bytes))];
  }

  minPartBytes(_number: number): number {
    return MIN_PART_BYTES;
  }

  part(number: number): PartSink {
    const start = this.#ends[number - 1];
    if (start === undefined || number < 1) throw new RangeError(`part ${number} comes before part ${number - 1}`);
    this.#ends.length = number;
    let end = start;
    let over = false;
    const begun = () => {
      if (over) throw new RangeError(`part ${number} is over`);
    };
    return {
      write: async (bytes) => {
        begun();
        const position = end;
        end += bytes.byteLength;
        await this.#inTurn("Writing the export", (file) => writeAll(file, bytes, position));
      },
      finish: async () => {
        begun();
        over = true;
        this.#ends[number] = end;
        // Not in turn: the next part is written meanwhile.
        await this.#last;
        await this.#run("Writing the export", async (file) => await file.datasync());
        return null;
      },
      discard: async () => {
        if (over) return;
        over = true;
        await this.#inTurn("Taking back a part of the export", (file) => file.truncate(start)).catch(() => {});
      },
    };
  }

  async complete(parts: readonly StoredPart[]): Promise<string> {
    const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
    const { halfFile, finishedFile, workFolder, filesFolder, location } = this.#places;
    await this.#last;
    if (this.#file === null) {
      await this.#checkFinished(bytes);
    } else {
      await this.#run("Finishing the export", async (file) => {
        if ((await file.stat()).size < bytes) throw shorter(halfFile);
        await file.truncate(bytes);
        await file.sync();
        await rename(halfFile, finishedFile);
      });
      await this.close();
    }
    // Also where the rename was done before: nobody knows how far the crash let it get.
    try {
      await syncFolder(filesFolder);
      await syncFolder(workFolder).catch((error: unknown) => {
        // Whoever shares it may have removed it already.
        if (!hasErrorCode(error, "ENOENT")) throw error;
      });
    } catch (error) {
      throw mapDirectoryError(error, "Finishing the export", this.#dir);
    }
    return location;
  }

  async close(): Promise<void> {
    await this.#last;
    const file = this.#file;
    this.#file = null;
    await file?.close().catch(() => {});
  }

  async #checkFinished(bytes: number): Promise<void> {
    const { finishedFile } = this.#places;
    let size: number;
    try {
      size = (await stat(finishedFile)).size;
    } catch (error) {
      throw mapDirectoryError(error, "Finishing the export", this.#dir);
    }
    if (size !== bytes) throw shorter(finishedFile);
  }

  /** `#last` never rejects: a failure stays in `#failure`. */
  #inTurn(what: string, work: (file: FileHandle) => Promise<void>): Promise<void> {
    const done = this.#last.then(() => this.#run(what, work));
    this.#last = done.catch(() => {});
    return done;
  }

  async #run(what: string, work: (file: FileHandle) => Promise<void>): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#file === null) throw new ReplicaError("STOPPED", `${what}: its file has been closed`);
    try {
      await work(this.#file);
    } catch (error) {
      this.#failure = { error: mapDirectoryError(error, what, this.#dir) };
      throw this.#failure.error;
    }
  }
}

function shorter(path: string): ReplicaError {
  return new ReplicaError("ARTIFACT_STORE", `The file "${path}" is not as long as what was written to it`, {
    hint: "Another program changed it: nobody else may write in the folder of exports. Start the export again.",
  });
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.byteLength; ) {
    const { bytesWritten } = await file.write(bytes, written, bytes.byteLength - written, position + written);
    written += bytesWritten;
  }
}
