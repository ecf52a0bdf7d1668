import { createHash } from "node:crypto";
import { type FileHandle, open, rm, stat } from "node:fs/promises";
import { CliError } from "../../cli-error.js";
import { printable } from "../../printable.js";
import { hashFile } from "./hash-file.js";
import { type PartNote, readNote, writeNote } from "./part-note.js";
import { partPaths, removePart } from "./part-paths.js";
import type { Sink } from "./sink.js";
import { takenAway } from "./taken-away.js";

/** `<file>.part`: what has arrived of a download. It stays where the process dies, and the next one goes on after it. */
export interface PartFile extends Sink {
  readonly path: string;
  /** How much of it an earlier process left, and is counted in `bytes`. */
  readonly found: number;
  /** Of what an earlier process left, else what was last told to `begin`. */
  readonly etag: string | null;
  /** Empties it. It will be this from now on. @throws CliError as `finish` does */
  begin(note: PartNote): Promise<void>;
  /**
   * Makes it as durable as the disk does, and lets go of it.
   * @throws CliError `LOCAL_FILE` where another process has put its own in its place, or has put this one in place already
   */
  finish(): Promise<void>;
  /** Lets go of it. */
  close(): Promise<void>;
  /** Removes it and its note, unless they are another process's by now. */
  remove(): Promise<void>;
}

/**
 * Opens the half file of `target`; what was left of the same content is read again, for its hash.
 * @param onRead is told how much of it has been read
 * @throws CliError `TARGET_EXISTS` for a `.part` that is not ours; errors of the file system
 */
export async function openPartFile(
  target: string,
  wanted: PartNote,
  { onRead, signal }: { readonly onRead: (bytes: number) => void; readonly signal: AbortSignal },
): Promise<PartFile> {
  const paths = partPaths(target);
  const left = await readNote(paths.note);
  const leftBytes = await sizeOf(paths.part);
  // The note comes first, so that a half file without one is somebody else's.
  if (leftBytes !== null && left === null) {
    throw new CliError("TARGET_EXISTS", `${printable(paths.part)} is there already and is no download of ours`, {
      hint: "Move it away, or choose another file with -o FILE.",
    });
  }
  const same = left !== null && left.sha256 === wanted.sha256 && left.bytes === wanted.bytes;
  const goesOn = same && leftBytes !== null && leftBytes >= 0 && leftBytes <= wanted.bytes;
  if (!goesOn) {
    await writeNote(paths.note, wanted);
    // A new file: the old one may have a second name, where a crash came right before its end.
    await rm(paths.part, { force: true });
  }
  const file = await open(paths.part, goesOn ? "r+" : "wx", 0o666);
  let hash = createHash("sha256");
  let bytes = 0;
  let etag = goesOn ? left.etag : wanted.etag;
  try {
    if (goesOn) bytes = await hashFile(file, hash, onRead, signal);
  } catch (error) {
    await file.close();
    throw error;
  }
  const found = bytes;
  let closed = false;
  const close = async (): Promise<void> => {
    if (!closed) await file.close();
    closed = true;
  };
  const verifyOwn = async (): Promise<void> => {
    if (!(await isAt(file, paths.part))) throw takenAway(paths.part);
  };
  return {
    path: paths.part,
    found,
    get etag() {
      return etag;
    },
    get bytes() {
      return bytes;
    },
    async write(chunk) {
      let written = 0;
      // A disk that runs full takes a part of it first.
      while (written < chunk.length) {
        written += (await file.write(chunk, written, chunk.length - written, bytes + written)).bytesWritten;
      }
      bytes += chunk.length;
      hash.update(chunk);
    },
    digest: () => hash.copy().digest("hex"),
    async begin(note) {
      // It may be another process's finished file by now.
      await verifyOwn();
      await file.truncate(0);
      await writeNote(paths.note, note);
      etag = note.etag;
      hash = createHash("sha256");
      bytes = 0;
    },
    async finish() {
      await file.sync();
      await verifyOwn();
      await close();
    },
    close,
    async remove() {
      const own = await isAt(file, paths.part);
      await close();
      if (own) await removePart(target);
    },
  };
}

/** Whether an open file is the one that has this name. */
async function isAt(file: FileHandle, path: string): Promise<boolean> {
  const named = await stat(path, { bigint: true }).catch(() => null);
  const opened = await file.stat({ bigint: true });
  return named !== null && named.ino === opened.ino && named.dev === opened.dev;
}

async function sizeOf(path: string): Promise<number | null> {
  const found = await stat(path).catch(() => null);
  return found === null ? null : found.isFile() ? found.size : -1;
}
