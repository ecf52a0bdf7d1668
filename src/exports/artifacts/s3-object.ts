import type { S3Link } from "./s3-link.js";
import { MARK_NAME, type S3Ticket } from "./s3-ticket.js";

/** The size of a ticket's finished object; `null` where there is none, or one of another upload. */
export async function sizeOfFinished(link: S3Link, ticket: S3Ticket): Promise<number | null> {
  const head = await link.find("Looking for a finished export", ["NotFound", "NoSuchKey"], (s3, options) =>
    s3.headObject({ Bucket: link.names.bucket, Key: ticket.key }, options),
  );
  if (head === null || head.Metadata?.[MARK_NAME] !== ticket.mark) return null;
  return head.ContentLength ?? 0;
}

/** Removes an object; what is not there is no error. */
export async function removeObject(link: S3Link, key: string): Promise<void> {
  await link.find("Removing an export", ["NoSuchKey", "NotFound"], (s3, options) =>
    s3.deleteObject({ Bucket: link.names.bucket, Key: key }, options),
  );
}
