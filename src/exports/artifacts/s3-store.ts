import { randomBytes } from "node:crypto";
import { create as contentDisposition } from "content-disposition";
import { ReplicaError } from "../../errors.js";
import type { S3Options } from "../exports-options.js";
import type { ArtifactStore } from "./artifact-store.js";
import { S3Link, type S3Patience } from "./s3-link.js";
import { keyOfLocation } from "./s3-location.js";
import { removeObject, sizeOfFinished } from "./s3-object.js";
import { readObject } from "./s3-reader.js";
import { MARK_NAME, parseS3Ticket, type S3Ticket } from "./s3-ticket.js";
import { abortUpload, abortUploads, hasParts } from "./s3-uploads.js";
import { S3Writer } from "./s3-writer.js";
import { safeEnding } from "./safe-ending.js";

/**
 * Keeps artifacts in a bucket, at `<prefix><jobId><ending>`, written as multipart uploads. What cannot be read again while it is not
 * finished is proved by S3's own list of parts: `rereads` is `false`. Speaks to the bucket with the first job, not before.
 * @throws `MISSING_DRIVER`
 */
export async function createS3Store(options: S3Options, patience: S3Patience = {}): Promise<ArtifactStore> {
  const link = await S3Link.open(options, patience);
  const { bucket } = options;
  return {
    rereads: false,
    async begin(job) {
      const key = `${options.prefix ?? ""}${job.id}${safeEnding(job.fileName)}`;
      await abortUploads(link, key);
      // Asked first: a bucket with versions would keep a mark for each removal of nothing.
      if (await objectIsThere(link, key)) await removeObject(link, key);
      const mark = randomBytes(16).toString("hex");
      const disposition = contentDisposition(job.fileName.replace(/\p{Cc}/gu, ""));
      const upload = await link.ask("Beginning an export", (s3, options) =>
        s3.createMultipartUpload(
          {
            Bucket: bucket,
            Key: key,
            ContentType: job.mediaType,
            ContentDisposition: disposition,
            Metadata: { [MARK_NAME]: mark },
          },
          options,
        ),
      );
      if (upload.UploadId === undefined) {
        throw new ReplicaError("ARTIFACT_STORE", `The bucket "${bucket}" began an upload and gave no id for it`, {
          hint: "The server does not speak S3's protocol as it should.",
        });
      }
      const ticket: S3Ticket = { key, uploadId: upload.UploadId, mark, mediaType: job.mediaType, disposition };
      return JSON.stringify(ticket);
    },
    async resume(text, parts) {
      const ticket = parseS3Ticket(text);
      if (ticket === null) return null;
      const there = await hasParts(link, ticket, parts);
      if (there !== null) return there ? new S3Writer(link, ticket, null) : null;
      // Ended: by us, where its object is there.
      const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
      return (await sizeOfFinished(link, ticket)) === bytes ? new S3Writer(link, ticket, bytes) : null;
    },
    read: (location, range, signal) => readObject(link, keyOfLocation(bucket, location), range, signal),
    async remove(text, location) {
      const ticket = text === null ? null : parseS3Ticket(text);
      if (ticket !== null) {
        await abortUpload(link, ticket.key, ticket.uploadId);
        await abortUploads(link, ticket.key);
      }
      const key = location === null ? null : keyOfLocation(bucket, location);
      for (const each of new Set([ticket?.key ?? null, key])) if (each !== null) await removeObject(link, each);
    },
    async close() {
      link.close();
    },
  };
}

async function objectIsThere(link: S3Link, key: string): Promise<boolean> {
  try {
    const head = await link.find("Looking for a finished export", ["NotFound", "NoSuchKey"], (s3, options) =>
      s3.headObject({ Bucket: link.names.bucket, Key: key }, options),
    );
    return head !== null;
  } catch (error) {
    // Without the right to list a bucket that is also the answer for what is not there.
    if (error instanceof ReplicaError && error.status === 403) return false;
    throw error;
  }
}
