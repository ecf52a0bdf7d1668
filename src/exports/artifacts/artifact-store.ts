import type { ByteRange } from "../export-job.js";

/** Where an artifact's parts are on their way to. Plain JSON, kept in the books from before the first part is written. */
export type ArtifactTicket = string;

/** A part that will still be there after a crash. */
export interface StoredPart {
  /** From 1, without a gap. */
  readonly number: number;
  readonly bytes: number;
  /** Lowercase hex. */
  readonly sha256: string;
  /** What the store wants to know of it again, such as an ETag. */
  readonly receipt: string | null;
}

/** A part that is being written. */
export interface PartSink {
  /** Resolves when more may come. Until then the bytes are the store's. */
  write(bytes: Uint8Array): Promise<void>;
  /** Resolves with its receipt when the part is as durable as it gets. */
  finish(): Promise<string | null>;
  /** Lets go of what was written of it. */
  discard(): Promise<void>;
}

/** An artifact that is being written: nobody sees any of it before `complete`. After a failure only another writer, from `resume`, is sure to go on. */
export interface ArtifactWriter {
  /** How many bytes this part should have at least, if it is not the last. */
  minPartBytes(number: number): number;
  /** The part before it has at least been asked to finish. */
  part(number: number): PartSink;
  /** Makes the whole visible in one step, also when called again after it has been. @returns where it is, for `read` and `remove` */
  complete(parts: readonly StoredPart[]): Promise<string>;
  /** Lets go of files and connections; what is durable stays for the next writer. */
  close(): Promise<void>;
}

/**
 * Where finished exports are kept. Everything may be repeated, also after a crash in the middle of it.
 * All methods throw `ARTIFACT_STORE` where the store fails (retryable where a later try may succeed), `DISK_LIMIT` where a disk is full.
 */
export interface ArtifactStore {
  /** Prepares a place for a new artifact. What an earlier call for this job left is removed. */
  begin(job: { readonly id: string; readonly fileName: string; readonly mediaType: string }): Promise<ArtifactTicket>;
  /**
   * Goes on after these parts. Whatever is there beyond them is cut off.
   * @param reread is given the bytes of the parts again, in order, where the store can read them; they are valid during the call alone. A store that
   * cannot never calls it. It may have been called for bytes that turn out to be others: then the answer is `null`.
   * @returns `null` where the parts are not what they were, or the ticket is another store's: the artifact has to be begun anew.
   */
  resume(
    ticket: ArtifactTicket,
    parts: readonly StoredPart[],
    reread: (bytes: Uint8Array) => void,
  ): Promise<ArtifactWriter | null>;
  /** Whether `resume` reads the bytes again; else the hash of the whole has to be kept by who asks. */
  readonly rereads: boolean;
  /** Bytes of a finished artifact. Throws `ARTIFACT_MISSING`. Leaving the loop early lets go of everything. */
  read(location: string, range: ByteRange | null, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** Removes what there is of it, finished or not. What is not there is no error. */
  remove(ticket: ArtifactTicket | null, location: string | null): Promise<void>;
  close(): Promise<void>;
}
