// What the package runs in its worker thread (`#table-worker`).
import { createEngine } from "../copy/create-engine.js";
import { serveEngine } from "./serve-engine.js";

serveEngine(createEngine);
