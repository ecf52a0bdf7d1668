// What the package runs in the thread that runs export jobs (`#export-worker`).
import { createExportEngine } from "./create-export-engine.js";
import { serveExportEngine } from "./serve-export-engine.js";

serveExportEngine(createExportEngine);
