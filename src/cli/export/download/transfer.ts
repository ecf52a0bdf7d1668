import { CliError } from "../../cli-error.js";
import type { ControlClient } from "../../control/control-client.js";
import type { FileOffer } from "./file-offer.js";
import { keepTrying } from "./keep-trying.js";
import type { Sink } from "./sink.js";

/** What a transfer asks of whoever knows the file. */
export interface TransferSteps {
  /** Asks for what is missing. */
  offer(): Promise<FileOffer>;
  /** Told where an offer begins with the file's first byte: empties the sink, or throws where that cannot be. */
  begin(offer: FileOffer): Promise<void>;
  /** Told of every piece that has been written. */
  onBytes(): void;
  /** Told before each pause. */
  onRetry(error: CliError, delayMs: number): void;
  /** How long the file is, as it is known now. */
  total(): number;
}

/**
 * Brings the sink to the file's whole length, going on where a connection broke off.
 * @throws CliError after too many tries in a row, and for what no try can mend
 */
export async function transfer(
  client: ControlClient,
  sink: Sink,
  steps: TransferSteps,
  signal: AbortSignal,
): Promise<void> {
  if (sink.bytes === steps.total()) return;
  await keepTrying(() => receive(client, sink, steps, signal), {
    mark: () => sink.bytes,
    onRetry: (error, delayMs) => steps.onRetry(error, delayMs),
    signal,
  });
}

async function receive(client: ControlClient, sink: Sink, steps: TransferSteps, signal: AbortSignal): Promise<void> {
  const offer = await steps.offer();
  try {
    if (offer.start === 0) await steps.begin(offer);
    if (offer.start !== sink.bytes)
      throw new CliError("NOT_OURS", "the server sends another piece than it was asked for");
    const total = steps.total();
    if (offer.total !== null && offer.total !== total) {
      throw new CliError("WRONG_SIZE", `the server offers ${offer.total} bytes, but the job's file has ${total}`, {
        hint: "Does something stand between that alters downloads?",
      });
    }
    for await (const chunk of readBody(client, offer.body, signal)) {
      if (sink.bytes + chunk.length > total) {
        throw new CliError("WRONG_SIZE", `the server sends more than the ${total} bytes of the job's file`);
      }
      await sink.write(chunk);
      steps.onBytes();
    }
    if (sink.bytes < total) throw new CliError("BROKE_OFF", "the download ended too early", { retryable: true });
  } finally {
    offer.body.destroy();
  }
}

/** What the connection fails with becomes a {@link CliError}; what the loop's own work throws stays what it is. */
async function* readBody(
  client: ControlClient,
  body: FileOffer["body"],
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const chunks = (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  for (;;) {
    let next: IteratorResult<Uint8Array>;
    try {
      next = await chunks.next();
    } catch (error) {
      signal.throwIfAborted();
      throw client.explain(error);
    }
    if (next.done) return;
    yield next.value;
  }
}
