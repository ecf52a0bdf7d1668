import { join } from "node:path";
import type { ArtifactTicket } from "./artifact-store.js";

/** Where an artifact lies: half and finished. */
export interface DirectoryPlaces {
  /** `<dir>/work/<jobId>`: shared with whoever else works on this job. */
  readonly workFolder: string;
  readonly halfFile: string;
  readonly filesFolder: string;
  readonly finishedFile: string;
  /** The finished file's name: what `complete` gives, so that the folder may be moved as a whole. */
  readonly location: string;
}

/**
 * Paths for a ticket or location that was handed out before; `null` for one that is not a folder's, so that nothing from the books leads
 * out of it.
 */
export function directoryPlaces(dir: string, ticketOrLocation: ArtifactTicket): DirectoryPlaces | null {
  const match = /^([A-Za-z0-9_-]{1,100})(\.[a-z0-9]{1,16})?$/.exec(ticketOrLocation);
  const id = match?.[1];
  if (id === undefined) return null;
  const location = ticketOrLocation;
  const workFolder = join(dir, "work", id);
  const filesFolder = join(dir, "files");
  return {
    workFolder,
    halfFile: join(workFolder, "artifact.part"),
    filesFolder,
    finishedFile: join(filesFolder, location),
    location,
  };
}
