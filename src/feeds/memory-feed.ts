import type { ChangeFeed } from "./change-feed.js";
import { HandlerSet } from "./handler-set.js";
import { requireChangeEvent } from "./parse-change-event.js";

/**
 * A feed inside one process: for tests, and for a primary and a replica that live together. Delivers every event, in the order of
 * publication, just after the publisher's own code has run.
 */
export function createMemoryFeed(): ChangeFeed {
  const handlers = new HandlerSet();
  return {
    async publish(event) {
      const clean = requireChangeEvent(event);
      queueMicrotask(() => handlers.change(clean));
    },
    subscribe(handler, signal) {
      const leave = handlers.add(handler, signal, () => {});
      queueMicrotask(() => handlers.gap("new"));
      return { [Symbol.asyncDispose]: async () => leave() };
    },
  };
}
