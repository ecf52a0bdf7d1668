import type { ExportEngine } from "./export-engine.js";

/** What can be called across the thread: a method of `ExportEngine` is one line here. */
export const ENGINE_METHODS: Readonly<Record<keyof ExportEngine, true>> = {
  open: true,
  startJob: true,
  job: true,
  jobs: true,
  removeJob: true,
  openArtifact: true,
  readArtifact: true,
  closeArtifact: true,
  close: true,
};
