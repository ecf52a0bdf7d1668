import { ReplicaError } from "../errors.js";
import { beforeAbort } from "../threads/before-abort.js";
import { Body, type ByteSource } from "./body.js";
import { artifactFileName } from "./export-file-name.js";
import type { ByteRange, ExportDownload, ExportJob } from "./export-job.js";
import { finishedArtifact } from "./finished-artifact.js";
import { FILE_FORMS } from "./formats/file-form.js";
import type { ExportEngine } from "./jobs/export-engine.js";

/** The engine lets go of what nobody has read for so long. In milliseconds. */
const STALL_MS = 300_000;

/** Finished files that are being read. */
export class Downloads {
  readonly #database: string;
  readonly #engine: ExportEngine;
  readonly #open = new Set<Body>();

  constructor(database: string, engine: ExportEngine) {
    this.#database = database;
    this.#engine = engine;
  }

  /** @throws what `ExportControl.download` throws, and the signal's reason */
  async open(job: ExportJob, range: ByteRange | undefined, signal: AbortSignal | undefined): Promise<ExportDownload> {
    const { bytes } = finishedArtifact(job);
    if (range !== undefined) verifyRange(range, bytes);
    const opening = this.#engine.openArtifact(job.id, range ?? null);
    const opened = await beforeAbort(opening, signal).catch((error: unknown) => {
      // Aborted: what is opened all the same has no reader.
      opening.then(({ reader }) => this.#engine.closeArtifact(reader)).catch(() => {});
      throw error;
    });
    const expected = range === undefined ? opened.bytes : range.end - range.start + 1;
    const body = new Body(artifactSource(this.#engine, opened.reader, expected), {
      signal,
      stall: { afterMs: STALL_MS, error: stalled },
    });
    this.#open.add(body);
    void body.closed.then(() => this.#open.delete(body));
    return {
      job: opened.job,
      fileName: artifactFileName(this.#database, opened.job),
      mediaType: FILE_FORMS[opened.job.format].mediaType,
      bytes: opened.bytes,
      body: body.stream,
    };
  }

  /** Cuts all short with this error, and resolves when all have let go. */
  async close(error: ReplicaError): Promise<void> {
    const bodies = [...this.#open];
    for (const body of bodies) body.fail(error);
    await Promise.all(bodies.map(({ closed }) => closed));
  }
}

/** Fails where the store has more or fewer bytes: a length was promised, and what is cut short must not pass for the whole. */
function artifactSource(engine: ExportEngine, reader: number, expected: number): ByteSource {
  let given = 0;
  return {
    async next() {
      const bytes = await engine.readArtifact(reader);
      given += bytes?.length ?? 0;
      if (given > expected || (bytes === null && given < expected)) throw otherLength(given, expected);
      return bytes;
    },
    close: () => engine.closeArtifact(reader),
  };
}

function stalled(): ReplicaError {
  return new ReplicaError("STOPPED", `The download was ended: nothing was read of it for ${STALL_MS / 1_000} s`, {
    hint: "Begin it again where it broke off (range).",
  });
}

function otherLength(given: number, expected: number): ReplicaError {
  const found = given < expected ? `ends after ${given} bytes` : "goes on";
  return new ReplicaError("ARTIFACT_STORE", `The finished file ${found} where there should be ${expected}`, {
    hint: "Somebody else changed it where exports keep their files: start the export again.",
  });
}

function verifyRange({ start, end }: ByteRange, bytes: number): void {
  if (Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start <= end && end < bytes) return;
  throw new ReplicaError("INVALID_EXPORT", `range must lie within the file's ${bytes} bytes, both ends included`, {
    hint: `Give a start and an end from 0 to ${bytes - 1}.`,
  });
}
