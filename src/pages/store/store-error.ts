import { mapFolderError } from "../../files/folder-error.js";

/**
 * An error of the file system as `PAGE_STORE`; anything else as it is. To be thrown.
 * @param what begins the message, such as `Storing the push`.
 */
export function mapStoreError(error: unknown, what: string, dir: string): unknown {
  const room = "a push needs room for a second copy of its database. What was stored before is as it was.";
  const fullHint = `Free space on the disk of "${dir}"; ${room}`;
  return mapFolderError(error, what, dir, { code: "PAGE_STORE", fullCode: "PAGE_STORE", fullHint });
}
