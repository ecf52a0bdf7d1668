import type { ChangeEvent, ChangeFeed, ChangeHandler } from "../../src/feeds/change-feed.js";
import { atEnd } from "../support/at-end.js";
import { waitFor } from "../support/wait.js";

/** A handler that writes down what it is told. */
export interface RecordingHandler extends ChangeHandler {
  readonly events: ChangeEvent[];
  /** `gap` and the hash of each change, in the order they came. */
  readonly story: string[];
  readonly gaps: number;
  readonly hashes: string[];
  /** Resolves when so many gaps have come. */
  gapped(times?: number): Promise<void>;
  /** Resolves when a change with this hash has come. */
  heard(hash: string): Promise<void>;
}

export function recordingHandler(): RecordingHandler {
  const events: ChangeEvent[] = [];
  const story: string[] = [];
  const handler: RecordingHandler = {
    events,
    story,
    get gaps() {
      return story.filter((line) => line === "gap").length;
    },
    get hashes() {
      return events.map(({ hash }) => hash);
    },
    change(event) {
      events.push(event);
      story.push(event.hash);
    },
    gap() {
      story.push("gap");
    },
    async gapped(times = 1) {
      await waitFor(() => handler.gaps >= times, { everyMs: 2, what: `gap number ${times}` });
    },
    async heard(hash) {
      await waitFor(() => story.includes(hash), { everyMs: 2, what: `the change ${hash.slice(0, 8)}` });
    },
  };
  return handler;
}

/** Subscribes until the test ends, and resolves when the first gap has come: from now on events arrive. */
export async function subscribed(
  feed: ChangeFeed,
): Promise<RecordingHandler & AsyncDisposable & { readonly abort: () => void }> {
  const end = new AbortController();
  const handler = recordingHandler();
  const subscription = feed.subscribe(handler, end.signal);
  atEnd(() => subscription[Symbol.asyncDispose]());
  await handler.gapped();
  return Object.assign(handler, {
    abort: () => end.abort(),
    [Symbol.asyncDispose]: () => subscription[Symbol.asyncDispose](),
  });
}
