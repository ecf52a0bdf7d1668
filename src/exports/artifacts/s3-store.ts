import { loadDriver } from "../../drivers/load-driver.js";
import { ReplicaError } from "../../errors.js";
import type { S3Options } from "../exports-options.js";
import type { ArtifactStore } from "./artifact-store.js";

/**
 * Keeps artifacts in a bucket, at `<prefix><jobId><ending>`, written as multipart uploads. Speaks to nobody yet.
 * @throws `MISSING_DRIVER`
 */
export async function createS3Store(options: S3Options): Promise<ArtifactStore> {
  await loadDriver("@aws-sdk/client-s3");
  throw new ReplicaError("ARTIFACT_STORE", `The bucket "${options.bucket}" cannot be used yet`);
}
