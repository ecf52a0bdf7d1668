/** One write at a primary. It says that a document changed, never what to. */
export interface ChangeEvent {
  /** Name of the collection at the primary. */
  readonly collection: string;
  /** Namespace of the collection; `null` for a root collection. */
  readonly namespace: string | null;
  /** Resolved storage key of the document. "" where the publisher does not know it. */
  readonly key: string;
  /** Hash of the document after the write. */
  readonly hash: string;
  /** Unix milliseconds, the primary's clock. */
  readonly timestamp: number;
  /**
   * Values of the storage path's placeholders, where the publisher knows them. A feed that knows the server's configuration finds the key
   * by them. They stay with the publisher: no feed delivers them.
   */
  readonly params?: Readonly<Record<string, string>>;
}

/** Hears of changes. What it throws becomes a process warning and harms no other handler. */
export interface ChangeHandler {
  /** A hint: may be missing, repeated or reordered. */
  change(event: ChangeEvent): void;
  /**
   * Events may have been missed: check everything once. Called first of all when the subscription begins to deliver, and after each
   * reconnect that cannot prove it missed nothing.
   */
  gap(): void;
}

/** Carries the news of writes from whoever makes them to whoever copies them. */
export interface ChangeFeed {
  /** Rejects with a `TypeError` on something that is no event. That it resolves does not mean that anybody got the event. */
  publish(event: ChangeEvent): Promise<void>;
  /** Delivers until the subscription is disposed of or `signal` aborts, whichever comes first; then nothing more, and no handle stays. */
  subscribe(handler: ChangeHandler, signal: AbortSignal): AsyncDisposable;
}
