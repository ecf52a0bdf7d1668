import { createExportEngine } from "../../../src/exports/jobs/create-export-engine.js";
import { serveExportEngine } from "../../../src/exports/jobs/serve-export-engine.js";

/** An engine's thread that ends in the middle of whatever it does when it is told to. */
const death = new BroadcastChannel("export-worker");
death.onmessage = () => process.exit(1);

serveExportEngine(createExportEngine);
