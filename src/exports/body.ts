/** Bytes that are made when they are asked for. */
export interface ByteSource {
  /** The next bytes, `null` after the last. Is asked for once at a time. */
  next(): Promise<Uint8Array | null>;
  /** Lets go of everything, also in the middle of `next`. Called once. */
  close(): Promise<void>;
}

export interface BodyOptions {
  /** Ends it with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** After how long without a read it ends. Default: never. */
  readonly stall?: { readonly afterMs: number; readonly error: () => Error };
}

/** So that a slow reader is seen to read: a whole piece of a dump may take it minutes. */
const MAX_CHUNK_BYTES = 64 * 1024;

/** A web stream over a {@link ByteSource} that keeps nothing in stock: what is not read is not made. */
export class Body {
  readonly stream: ReadableStream<Uint8Array>;
  /** Resolves when the source has let go of everything, for whatever reason. */
  readonly closed: Promise<void>;
  readonly #source: ByteSource;
  readonly #options: BodyOptions;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #rest: Uint8Array = new Uint8Array();
  #timer: NodeJS.Timeout | undefined;
  #ended = false;
  #resolveClosed!: () => void;

  constructor(source: ByteSource, options: BodyOptions = {}) {
    this.#source = source;
    this.#options = options;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#pull(),
        cancel: () => {
          this.#end();
          return this.closed;
        },
      },
      { highWaterMark: 0 },
    );
    const { signal } = options;
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    if (signal?.aborted) this.#onAbort();
    else this.#awaitReader();
  }

  /** Whoever reads it sees the error, unless all was read. */
  fail(error: unknown): void {
    if (this.#ended) return;
    this.#controller.error(error);
    this.#end();
  }

  readonly #onAbort = (): void => this.fail(this.#options.signal?.reason);

  async #pull(): Promise<void> {
    clearTimeout(this.#timer);
    try {
      // Nothing would tell the reader of an empty chunk, and it would wait for ever.
      while (this.#rest.length === 0) {
        const bytes = await this.#source.next();
        if (this.#ended) return;
        if (bytes === null) {
          this.#controller.close();
          this.#end();
          return;
        }
        this.#rest = bytes;
      }
      const chunk = this.#rest.subarray(0, MAX_CHUNK_BYTES);
      this.#rest = this.#rest.subarray(MAX_CHUNK_BYTES);
      this.#awaitReader();
      this.#controller.enqueue(chunk);
    } catch (error) {
      this.fail(error);
    }
  }

  #awaitReader(): void {
    const { stall } = this.#options;
    if (stall) this.#timer = setTimeout(() => this.fail(stall.error()), stall.afterMs).unref();
  }

  #end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#rest = new Uint8Array();
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    // What cannot be closed is as closed as it gets; the reader has had its error or its end.
    this.#source.close().then(this.#resolveClosed, this.#resolveClosed);
  }
}
