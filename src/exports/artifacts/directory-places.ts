import { extname, join, resolve } from "node:path";
import { ReplicaError } from "../../errors.js";
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

/** The ending of a file's name with its dot, in small letters; empty where it has none that is safe in every path and key. */
export function safeEnding(fileName: string): string {
  const ending = extname(fileName).toLowerCase();
  return /^\.[a-z0-9]{1,16}$/.test(ending) ? ending : "";
}

/** Paths for what was handed out before. Nothing from the books leads out of the folder. */
export function directoryPlaces(dir: string, ticketOrLocation: ArtifactTicket): DirectoryPlaces {
  const match = /^([A-Za-z0-9_-]{1,100})(\.[a-z0-9]{1,16})?$/.exec(ticketOrLocation);
  const id = match?.[1];
  if (id === undefined) {
    throw new ReplicaError("ARTIFACT_STORE", "The books name a file that is not one of the export folder's", {
      hint: "The job was written with another store: remove it, and start another.",
    });
  }
  const root = resolve(dir);
  const location = `${id}${match?.[2] ?? ""}`;
  const workFolder = join(root, "work", id);
  const filesFolder = join(root, "files");
  return {
    workFolder,
    halfFile: join(workFolder, "artifact.part"),
    filesFolder,
    finishedFile: join(filesFolder, location),
    location,
  };
}
