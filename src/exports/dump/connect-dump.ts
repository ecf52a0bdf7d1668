import { beforeAbort } from "../../threads/before-abort.js";
import type { ThreadLink } from "../../threads/start-thread.js";
import type { DumpPosition } from "../formats/dump-position.js";
import type { WrittenPiece } from "./dump-pieces.js";
import type { DumpPiece, DumpReader } from "./dump-reader.js";
import { type DumpThreadOptions, endDumpThread, startDumpThread } from "./dump-thread.js";
import type { OpenDumpOptions } from "./open-dump.js";
import { PieceSlots } from "./piece-slots.js";

/**
 * A dump in a thread of its own, or `null` where the kind is `live` and the database is not one whose writers go on meanwhile. The thread ends
 * where this rejects.
 */
export async function connectDump(
  { file, kind, request }: OpenDumpOptions,
  signal: AbortSignal | undefined,
  options: DumpThreadOptions = {},
): Promise<DumpReader | null> {
  signal?.throwIfAborted();
  const thread = startDumpThread(options);
  try {
    const opening = thread.link.call("open", [file, kind, request], signal ?? new AbortController().signal);
    const opened = (await beforeAbort(opening, signal)) as Pick<DumpReader, "fingerprint" | "tables"> | null;
    if (opened !== null) return readerOf(thread, opened);
  } catch (error) {
    await endDumpThread(thread);
    throw error;
  }
  await endDumpThread(thread);
  return null;
}

function readerOf(thread: ThreadLink, { fingerprint, tables }: Pick<DumpReader, "fingerprint" | "tables">): DumpReader {
  const { link } = thread;
  let reading = false;
  let closing: Promise<void> | undefined;

  const quietly = (method: string, args: readonly unknown[] = []): Promise<unknown> => {
    const answer = link.call(method, args);
    // Whoever waits for it hears of it; a pull that nobody came to take does not matter.
    answer.catch(() => {});
    return answer;
  };

  async function* read(from: DumpPosition, signal?: AbortSignal): AsyncGenerator<DumpPiece, void, void> {
    if (link.failure !== undefined) throw link.failure;
    if (reading) throw new TypeError("This dump is being read already");
    reading = true;
    try {
      signal?.throwIfAborted();
      // Memory of its own: a pull that an earlier reader left behind may still be written into that one's.
      const slots = new PieceSlots();
      const begun = quietly("begin", [from, slots.memory]);
      const pulls = Array.from({ length: slots.count }, (_, slot) => quietly("pull", [slot]));
      await beforeAbort(begun, signal);
      for (let turn = 0; ; turn = (turn + 1) % slots.count) {
        const written = (await beforeAbort(pulls[turn] as Promise<unknown>, signal)) as WrittenPiece | null;
        if (written === null) return;
        yield { bytes: slots.slot(turn).subarray(0, written.length), end: written.end };
        pulls[turn] = quietly("pull", [turn]);
      }
    } finally {
      reading = false;
      void quietly("stop");
    }
  }

  return {
    fingerprint,
    tables,
    read,
    close() {
      closing ??= endDumpThread(thread);
      return closing;
    },
  };
}
