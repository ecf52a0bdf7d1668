/** Sees whether anybody commits to a database file. */
export interface TargetWatch {
  /** Whether there was a commit since the watch began. May wait for a writer, a few seconds at most. */
  changed(): boolean;
  close(): void;
}

/**
 * To begin before the file is read, so that no commit falls between. Keeps a connection open, with no lock that others would feel. Close sources of the
 * file before `replaceTarget`, and the watch after it.
 * @param path as `resolveTarget` gives it
 * @returns `null` where the file is not there, empty, or no database
 * @throws `LOCAL_DATABASE`, `MISSING_DRIVER`
 */
export async function watchTarget(_path: string): Promise<TargetWatch | null> {
  throw new Error("Not written yet");
}
