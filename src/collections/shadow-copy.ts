import { ReplicaError } from "../errors.js";
import type { DocumentContent } from "../modes/document-content.js";
import { mergeThreeWay } from "../modes/three-way-merge.js";
import { documentHash } from "../protocol/canonical-json.js";
import { localConflict } from "./document-target.js";
import type { LocalCopy, LocalState } from "./local-copy.js";
import type { MergeableCopy } from "./merge-state.js";

/**
 * The local side of a merge where clients only write: they cannot read what others changed, so their own document must stay as they wrote
 * it. As long as nobody else writes at the primary, this is the clients' document. After a merge it is a document of our own, into which
 * later writes of clients are folded: their changes since the last one folded, on top of what was merged.
 */
export class ShadowCopy implements MergeableCopy {
  readonly #clients: LocalCopy;
  readonly #shadow: LocalCopy;
  readonly #folded: LocalCopy;

  constructor(clients: LocalCopy, shadow: LocalCopy, folded: LocalCopy) {
    this.#clients = clients;
    this.#shadow = shadow;
    this.#folded = folded;
  }

  /**
   * Folds what clients wrote since the last time. Not for two callers at once.
   * @throws STATE_CORRUPT where the shadow cannot be read: without it others' fields would be erased
   */
  async read(): Promise<LocalState> {
    const clients = await this.#clients.read();
    const shadow = await this.#shadow.read();
    if (shadow.baseHash === null || !clients.document) return clients;
    if (!shadow.document) throw unreadable(this.#shadow.key);
    const folded = await this.#folded.read();
    if (folded.document?.hash === clients.document.hash) return shadow;
    const base = folded.document?.data ?? null;
    const data = mergeThreeWay({ base, local: shadow.document.data, remote: clients.document.data });
    const content: DocumentContent = { data, hash: documentHash(data), proof: null };
    // Folding again after a crash between these two gives the same.
    const written = content.hash === shadow.document.hash || (await this.#shadow.write(content, shadow));
    if (!written || !(await this.#folded.write(clients.document, folded))) throw localConflict(this.#shadow.key);
    return await this.#shadow.read();
  }

  async readHash(): Promise<string | null> {
    return (await this.read()).document?.hash ?? null;
  }

  /** Stores what a merge gave; the clients' document stays as it is. */
  async write(content: DocumentContent, expected: LocalState): Promise<boolean> {
    const shadow = await this.#shadow.read();
    if (shadow.document)
      return shadow.document.hash === expected.document?.hash && (await this.#shadow.write(content, shadow));
    if (expected.document) await this.#folded.write(expected.document, await this.#folded.read());
    return await this.#shadow.write(content, shadow);
  }
}

function unreadable(key: string): ReplicaError {
  return new ReplicaError(
    "STATE_CORRUPT",
    `the merged document "${key}" could not be read, and nothing is sent without it`,
    {
      retryable: true,
      hint: "Delete it together with the collection's record: the primary is then pulled and merged without a base.",
    },
  );
}
