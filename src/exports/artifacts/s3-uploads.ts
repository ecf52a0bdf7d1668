import type { StoredPart } from "./artifact-store.js";
import type { S3Link } from "./s3-link.js";
import type { S3Ticket } from "./s3-ticket.js";

/** Whether each of these parts is in the upload as it was. `null` where there is no such upload. Asks once per 1,000 parts. */
export async function hasParts(link: S3Link, ticket: S3Ticket, parts: readonly StoredPart[]): Promise<boolean | null> {
  const wanted = new Map(parts.filter((part) => part.bytes > 0).map((part) => [part.number, part]));
  const { key, uploadId } = ticket;
  let marker: string | undefined;
  do {
    const page = await link.find("Looking for the parts of an export", ["NoSuchUpload"], (s3, options) =>
      s3.listParts(
        {
          Bucket: link.names.bucket,
          Key: key,
          UploadId: uploadId,
          ...(marker === undefined ? {} : { PartNumberMarker: marker }),
        },
        options,
      ),
    );
    if (page === null) return null;
    for (const { PartNumber, Size, ETag } of page.Parts ?? []) {
      const part = wanted.get(PartNumber ?? 0);
      if (part === undefined) continue;
      if (part.bytes !== Size || part.receipt !== ETag) return false;
      wanted.delete(part.number);
    }
    // A server that says there is more and not where would be asked for ever.
    const next = page.IsTruncated === true ? page.NextPartNumberMarker : undefined;
    marker = next === marker ? undefined : next;
  } while (marker !== undefined && wanted.size > 0);
  return wanted.size === 0;
}

/** Ends every unfinished upload to this key, whoever began it. */
export async function abortUploads(link: S3Link, key: string): Promise<void> {
  const { bucket } = link.names;
  let from: { KeyMarker: string; UploadIdMarker?: string } | undefined;
  do {
    const page = await link.ask("Looking for unfinished uploads", (s3, options) =>
      s3.listMultipartUploads({ Bucket: bucket, Prefix: key, ...from }, options),
    );
    for (const { Key, UploadId } of page.Uploads ?? []) {
      if (Key === key && UploadId !== undefined) await abortUpload(link, key, UploadId);
    }
    const { NextKeyMarker, NextUploadIdMarker } = page;
    const isLast =
      page.IsTruncated !== true ||
      NextKeyMarker === undefined ||
      (NextKeyMarker === from?.KeyMarker && NextUploadIdMarker === from?.UploadIdMarker);
    from = isLast
      ? undefined
      : {
          KeyMarker: NextKeyMarker,
          ...(NextUploadIdMarker === undefined ? {} : { UploadIdMarker: NextUploadIdMarker }),
        };
  } while (from !== undefined);
}

/** Ends one; what is not there is no error. */
export async function abortUpload(link: S3Link, key: string, uploadId: string): Promise<void> {
  await link.find("Ending an unfinished upload", ["NoSuchUpload", "NotFound"], (s3, options) =>
    s3.abortMultipartUpload({ Bucket: link.names.bucket, Key: key, UploadId: uploadId }, options),
  );
}
