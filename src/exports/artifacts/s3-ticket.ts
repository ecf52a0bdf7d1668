import type { ArtifactTicket } from "./artifact-store.js";

/** A multipart upload: what has to be known to go on with it. */
export interface S3Ticket {
  readonly key: string;
  readonly uploadId: string;
  /** Stands in the object's metadata: so a finished object is known to come from this upload, whose own id is gone by then. */
  readonly mark: string;
  readonly mediaType: string;
  readonly disposition: string;
}

/** The name under which a ticket's mark stands in an object's metadata. */
export const MARK_NAME = "starfish-artifact";

/** `null` for a ticket that is not a bucket's: the options were changed while the job was under way. */
export function parseS3Ticket(ticket: ArtifactTicket): S3Ticket | null {
  let value: unknown;
  try {
    value = JSON.parse(ticket);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null) return null;
  const { key, uploadId, mark, mediaType, disposition } = value as Readonly<Record<string, unknown>>;
  const isWhole = [key, uploadId, mark, mediaType, disposition].every((field) => typeof field === "string");
  return isWhole ? (value as S3Ticket) : null;
}
