import type { ArtifactStore, ArtifactWriter, PartSink } from "../../../src/exports/artifacts/artifact-store.js";
import { type Deferred, deferred } from "../../support/wait.js";

/** Stands before a real store: parts are small, and what happens to one can be held up or made to fail. */
export class GatedStore {
  /** Numbers of the parts that were finished, as they came. */
  readonly finished: number[] = [];
  /** How often the store was begun with. */
  begun = 0;
  /** What it gave for that. */
  readonly tickets: string[] = [];
  #gate: {
    readonly at: number | "begin" | "removal";
    readonly reached: Deferred<void>;
    readonly opened: Deferred<void>;
  } | null = null;
  #failures: { readonly error: Error; left: number } | null = null;
  readonly #rereads: boolean | undefined;

  /** @param rereads `false`: a store that cannot read its parts again, as a bucket is */
  constructor(rereads?: boolean) {
    this.#rereads = rereads;
  }

  /** To be given as `wrapStore`. */
  readonly wrap = (store: ArtifactStore): ArtifactStore => ({
    rereads: this.#rereads ?? store.rereads,
    begin: async (job) => {
      this.begun += 1;
      this.#mayFail();
      await this.#pass("begin");
      const ticket = await store.begin(job);
      this.tickets.push(ticket);
      return ticket;
    },
    resume: async (ticket, parts, reread) => {
      this.#mayFail();
      const writer = await store.resume(ticket, parts, this.#rereads === false ? () => {} : reread);
      return writer && this.#writer(writer);
    },
    read: (location, range, signal) => store.read(location, range, signal),
    remove: async (ticket, location) => {
      this.#mayFail();
      await this.#pass("removal");
      await store.remove(ticket, location);
    },
    close: () => store.close(),
  });

  /** From now on the part with this number is not finished until `open`. Resolves when there is one that waits. */
  holdPart(part: number): Promise<void> {
    return this.#hold(part);
  }

  /** From now on nothing is begun until `open`. Resolves when something waits for it. */
  holdBegin(): Promise<void> {
    return this.#hold("begin");
  }

  /** From now on nothing is removed until `open`. Resolves when something waits for it. */
  holdRemoval(): Promise<void> {
    return this.#hold("removal");
  }

  open(): void {
    this.#gate?.opened.resolve();
    this.#gate = null;
  }

  /** The next so many calls fail. */
  fail(error: Error, times: number): void {
    this.#failures = { error, left: times };
  }

  #hold(at: number | "begin" | "removal"): Promise<void> {
    this.#gate = { at, reached: deferred(), opened: deferred() };
    return this.#gate.reached.promise;
  }

  async #pass(at: number | "begin" | "removal"): Promise<void> {
    const gate = this.#gate;
    if (gate === null) return;
    const isHeld = typeof at === "number" && typeof gate.at === "number" ? at >= gate.at : at === gate.at;
    if (!isHeld) return;
    gate.reached.resolve();
    await gate.opened.promise;
  }

  #mayFail(): void {
    if (this.#failures === null || this.#failures.left === 0) return;
    this.#failures.left -= 1;
    throw this.#failures.error;
  }

  #writer(writer: ArtifactWriter): ArtifactWriter {
    return {
      minPartBytes: () => 1,
      part: (number) => this.#sink(number, writer.part(number)),
      complete: (parts) => writer.complete(parts),
      close: () => writer.close(),
    };
  }

  #sink(number: number, sink: PartSink): PartSink {
    return {
      write: (bytes) => sink.write(bytes),
      finish: async () => {
        await this.#pass(number);
        this.#mayFail();
        const receipt = await sink.finish();
        this.finished.push(number);
        return receipt;
      },
      discard: () => sink.discard(),
    };
  }
}
