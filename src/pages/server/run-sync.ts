import { encodeFrame } from "../protocol/encode-frame.js";
import { parseFrame } from "../protocol/parse-frame.js";
import type { ServerEffect, ServerSession } from "../session/server-session.js";
import type { SessionFiles } from "./session-files.js";
import { SYNC_ENDS, SyncInterrupted } from "./sync-end.js";
import type { SyncSocket } from "./sync-socket.js";

/** What a sync has moved so far. */
export interface SyncTally {
  pages: number;
  /** Of pages, without what surrounds them. */
  bytes: number;
  /** What a push has made the stored version; `null` before, and in a pull. */
  generation: number | null;
}

/** What {@link runSync} puts together. */
export interface SyncParts {
  readonly session: ServerSession;
  readonly files: SessionFiles;
  readonly socket: SyncSocket;
  /** Added to while it runs. */
  readonly tally: SyncTally;
  /** Called once after a commit that made a new generation. */
  onCommit(version: { readonly generation: number; readonly rootHash: Uint8Array }): void;
  /** Called before the client is told that it has all: nothing of the store is open any more. */
  onWorkDone(): void;
}

/**
 * Runs a session until it has finished and the system has taken all that it said. Effects are done strictly in order, one frame after the other.
 * @throws SyncInterrupted; what the session and the store throw
 */
export async function runSync(parts: SyncParts): Promise<void> {
  const { session, socket } = parts;
  let mayBeIdle = false;
  for (;;) {
    // What goes out does not wait until nothing more comes in: a peer may send for long before it reads.
    if (mayBeIdle && socket.drained) {
      const effects = session.idle();
      if (await runEffects(parts, effects)) return;
      mayBeIdle = effects.length > 0;
    }
    const message = socket.take();
    if (message !== undefined) {
      const frame = parseFrame(message);
      if (frame.kind === "error") throw new SyncInterrupted(SYNC_ENDS.gaveUp);
      if (await runEffects(parts, session.receive(frame))) return;
      mayBeIdle = true;
    } else if (mayBeIdle) await socket.arrivalOrDrain();
    else await socket.arrival();
  }
}

/** @returns whether the session is over */
async function runEffects(parts: SyncParts, effects: readonly ServerEffect[]): Promise<boolean> {
  let todo = effects;
  for (let next = 0; next < todo.length; next += 1) {
    const effect = todo[next];
    if (effect === undefined) break;
    parts.socket.check();
    if (effect.do === "finish") {
      await parts.socket.flush();
      return true;
    }
    const answer = await runEffect(parts, effect);
    // One that has an answer is the last of its list.
    if (answer !== null) {
      todo = answer;
      next = -1;
    }
  }
  return false;
}

/** @returns what its answer makes the session do; `null` for one without an answer */
async function runEffect(
  parts: SyncParts,
  effect: Exclude<ServerEffect, { do: "finish" }>,
): Promise<readonly ServerEffect[] | null> {
  const { session, files, socket, tally } = parts;
  switch (effect.do) {
    case "send":
      if (effect.frame.kind === "sync_complete") {
        await socket.during(files.close());
        parts.onWorkDone();
      }
      socket.send(encodeFrame(effect.frame));
      return null;
    case "open":
      return session.opened(await socket.during(files.open(effect.unit)));
    case "stage":
      await socket.during(files.stage(effect.pageSize, effect.pageCount, effect.generation));
      return null;
    case "compare-range":
      return session.compared(
        await socket.during(files.compareRange(effect.startPage, effect.endPage, effect.combinedHash)),
      );
    case "compare-page":
      return session.compared(await socket.during(files.comparePage(effect.pageNo, effect.hash)));
    case "stage-pages":
      await socket.during(files.put(effect.pages));
      tally.pages += effect.pages.length;
      for (const { data } of effect.pages) tally.bytes += data.byteLength;
      return null;
    case "send-pages":
      await sendPages(parts, effect);
      return null;
    case "commit": {
      // From here on it finishes, even if the peer goes or the server stops: nobody can take back half of it.
      socket.shield();
      const version = await socket.during(files.commit());
      tally.generation = version.generation;
      if (version.changed) parts.onCommit(version);
      return session.committed(version);
    }
  }
}

async function sendPages(parts: SyncParts, effect: Extract<ServerEffect, { do: "send-pages" }>): Promise<void> {
  const { files, socket, tally } = parts;
  for (let startPage = effect.startPage; startPage <= effect.endPage; ) {
    const pages = await socket.during(files.read(startPage, effect.endPage));
    if (effect.single) for (const page of pages) socket.send(encodeFrame({ kind: "page_data", ...page }));
    else socket.send(encodeFrame({ kind: "page_data_batch", pages }));
    startPage += pages.length;
    tally.pages += pages.length;
    for (const { data } of pages) tally.bytes += data.byteLength;
  }
}
