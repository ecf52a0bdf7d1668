import { mapFolderError } from "../../files/folder-error.js";

/**
 * An error of the file system as `DISK_LIMIT` or `ARTIFACT_STORE`; anything else as it is. To be thrown.
 * @param what begins the message, such as `Writing the export`.
 */
export function mapDirectoryError(error: unknown, what: string, dir: string): unknown {
  const fullHint = `Free space on the disk of "${dir}", or remove old exports.`;
  return mapFolderError(error, what, dir, { code: "ARTIFACT_STORE", fullCode: "DISK_LIMIT", fullHint });
}
