import { ReplicaError } from "../errors.js";
import type { ExportJob } from "./export-job.js";

/**
 * What a completed job made.
 * @throws `JOB_UNFINISHED`, retryable; `JOB_FAILED`
 */
export function finishedArtifact({ state, artifact, error }: ExportJob): NonNullable<ExportJob["artifact"]> {
  if (artifact !== null && state === "completed") return artifact;
  if (state === "failed") {
    const why = error === null ? "" : `: ${error.message} (${error.code})`;
    throw new ReplicaError("JOB_FAILED", `The export failed${why}`, { hint: "Start another job." });
  }
  throw new ReplicaError("JOB_UNFINISHED", `The export is still ${state}`, {
    hint: "Wait until the job's state is completed.",
    retryable: true,
  });
}
