import { type Channel, channel } from "node:diagnostics_channel";

/** Name of the diagnostics channel on which a `PageEvent` is published. https://nodejs.org/api/diagnostics_channel.html */
export const PAGE_EVENTS = "starfish-replica:pages";

/** A sync that a page server begins, or has ended. Neither the token nor anybody's address is in it. */
export type PageEvent =
  | {
      readonly event: "begin";
      /** Counts the syncs of this process: what begins and what ends belong together by it. */
      readonly sync: number;
      readonly direction: "push" | "pull";
      readonly databaseId: string;
    }
  | {
      readonly event: "end";
      readonly sync: number;
      readonly direction: "push" | "pull";
      readonly databaseId: string;
      /** `refused`: what the peer did or wanted is not allowed. `failed`: our own files. `broken-off`: the connection. `idle`: cut off. */
      readonly outcome: "completed" | "refused" | "failed" | "broken-off" | "idle" | "deleted" | "stopped";
      /** What is stored after a push that completed; `null` for all else. */
      readonly generation: number | null;
      /** Pages that came in a push or were sent in a pull. */
      readonly pages: number;
      /** Of those pages, without what surrounds them. */
      readonly bytes: number;
      readonly durationMs: number;
    };

const events: Channel = channel(PAGE_EVENTS);

/** Tells everybody who listens. */
export function tellPages(event: PageEvent): void {
  if (events.hasSubscribers) events.publish(event);
}
