import type { ArtifactStore } from "../artifacts/artifact-store.js";
import type { DiskRoom } from "./disk-room.js";
import type { JobFolders } from "./job-folders.js";
import type { JobStore } from "./job-store.js";

/** What jobs are worked on with. */
export interface JobContext {
  readonly jobs: JobStore;
  readonly store: ArtifactStore;
  readonly folders: JobFolders;
  readonly room: DiskRoom;
  /** Removes what is not needed any more. @returns whether there was anything */
  readonly makeRoom: () => Promise<boolean>;
  /** Told of every change of a job. */
  readonly onChange: (id: string) => void;
}
