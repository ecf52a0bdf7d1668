/** What it uses of the driver's connection, as `pg-cursor` does. */
export interface WireConnection {
  readonly stream: { pause(): unknown; resume(): unknown };
  parse(query: { text: string }, more: boolean): void;
  bind(query: { values: readonly (string | null)[] }, more: boolean): void;
  describe(query: { type: "P"; name: string }, more: boolean): void;
  execute(query: { rows: number }, more: boolean): void;
  flush(): void;
  sync(): void;
}

/** A row as it came: every value as PostgreSQL's text. */
export type TextRow = (string | null)[];

/** Rows per message to the server: few enough that an end in the middle costs little to wait for. */
const ROWS_PER_FETCH = 10_000;

/** What waits here for its reader at most, in bytes of the wire, give or take what the socket hands over at once. */
const MAX_WAITING_BYTES = 512 * 1024;

/**
 * A query whose rows are taken as fast as the reader wants them: rows come while the reader is busy, until `MAX_WAITING_BYTES` of them wait;
 * then the socket is left alone and the server waits. Handed to the driver's `client.query()`. It is no `pg-cursor`, since that counts
 * rows alone and a single fetch of wide rows may be larger than memory.
 */
export class RowStream {
  readonly #text: string;
  readonly #values: readonly (string | null)[];
  #connection: WireConnection | undefined;
  #rows: TextRow[] = [];
  #bytes = 0;
  #state: "running" | "suspended" | "done" | "failed" = "running";
  #ready = false;
  #stopping = false;
  #paused = false;
  #error: unknown;
  #wantedRows = 0;
  #wake: (() => void) | undefined;

  constructor(text: string, values: readonly (string | null)[]) {
    this.#text = text;
    this.#values = values;
  }

  /** Resolves with rows that wait, as many as there are once `rows` of them or so many bytes are there; with none at the end. */
  async take(rows: number): Promise<{ rows: TextRow[]; bytes: number }> {
    while (this.#rows.length < rows && this.#bytes < MAX_WAITING_BYTES && !this.#ready && this.#state !== "failed") {
      this.#wantedRows = rows;
      this.#flow();
      await this.#change();
    }
    if (this.#state === "failed") throw this.#error;
    const taken = { rows: this.#rows, bytes: this.#bytes };
    this.#rows = [];
    this.#bytes = 0;
    this.#flow();
    return taken;
  }

  /** Ends it before its time. Resolves when the connection can be used again; a server that says nothing more is the caller's to cut off. */
  async stop(): Promise<void> {
    this.#stopping = true;
    while (!this.#ready && this.#state !== "failed") {
      this.#rows = [];
      this.#bytes = 0;
      this.#flow();
      await this.#change();
    }
  }

  submit(connection: WireConnection): void {
    this.#connection = connection;
    connection.parse({ text: this.#text }, true);
    connection.bind({ values: this.#values }, true);
    connection.describe({ type: "P", name: "" }, true);
    connection.execute({ rows: ROWS_PER_FETCH }, true);
    connection.flush();
  }

  handleDataRow(message: { readonly fields: TextRow; readonly length: number }): void {
    if (this.#stopping) return;
    this.#rows.push(message.fields);
    this.#bytes += message.length;
    if (this.#bytes >= MAX_WAITING_BYTES) {
      if (!this.#paused) {
        this.#paused = true;
        this.#connection?.stream.pause();
      }
      this.#notify();
    } else if (this.#rows.length >= this.#wantedRows) {
      this.#notify();
    }
  }

  handlePortalSuspended(): void {
    this.#state = "suspended";
    this.#flow();
    this.#notify();
  }

  handleCommandComplete(): void {
    this.#state = "done";
    this.#connection?.sync();
  }

  handleEmptyQuery(): void {
    this.handleCommandComplete();
  }

  handleReadyForQuery(): void {
    this.#ready = true;
    this.#notify();
  }

  handleError(error: unknown): void {
    if (this.#state === "failed") return;
    this.#state = "failed";
    this.#error = error;
    this.#rows = [];
    if (this.#paused) this.#connection?.stream.resume();
    this.#connection?.sync();
    this.#notify();
  }

  handleRowDescription(): void {}

  handleParseComplete(): void {}

  #flow(): void {
    if (this.#bytes >= MAX_WAITING_BYTES) return;
    if (this.#paused) {
      this.#paused = false;
      this.#connection?.stream.resume();
    }
    if (this.#state !== "suspended") return;
    if (this.#stopping) {
      this.#state = "done";
      this.#connection?.sync();
    } else {
      this.#state = "running";
      this.#connection?.execute({ rows: ROWS_PER_FETCH }, true);
      this.#connection?.flush();
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
