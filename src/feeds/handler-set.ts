import type { ChangeEvent, ChangeHandler } from "./change-feed.js";

interface Entry {
  readonly handler: ChangeHandler;
  /** Whether its first `gap()` has come: events before that would say nothing new. */
  begun: boolean;
}

/** The handlers of one feed. What one of them throws, at once or later, becomes a process warning. */
export class HandlerSet {
  readonly #entries = new Set<Entry>();

  get size(): number {
    return this.#entries.size;
  }

  /** Adds a handler until `signal` aborts or the answer is called; then calls `left` once. An aborted signal adds nothing. */
  add(handler: ChangeHandler, signal: AbortSignal, left: () => void): () => void {
    if (signal.aborted) return () => {};
    const entry: Entry = { handler, begun: false };
    this.#entries.add(entry);
    const leave = (): void => {
      if (!this.#entries.delete(entry)) return;
      signal.removeEventListener("abort", leave);
      left();
    };
    signal.addEventListener("abort", leave, { once: true });
    return leave;
  }

  /** Tells all that have begun. */
  change(event: ChangeEvent): void {
    this.#each((entry) => entry.begun && call(() => entry.handler.change(event)));
  }

  /** Tells everybody, or only those that have not begun. */
  gap(whom: "all" | "new"): void {
    this.#each((entry) => {
      if (whom === "new" && entry.begun) return;
      entry.begun = true;
      call(() => entry.handler.gap());
    });
  }

  #each(tell: (entry: Entry) => unknown): void {
    // A handler may subscribe and leave while it is told.
    for (const entry of [...this.#entries]) if (this.#entries.has(entry)) tell(entry);
  }
}

function call(handler: () => unknown): void {
  try {
    // An async function is a handler too.
    Promise.resolve(handler()).catch(warn);
  } catch (thrown) {
    warn(thrown);
  }
}

function warn(thrown: unknown): void {
  process.emitWarning(thrown instanceof Error ? thrown : new Error(String(thrown)));
}
