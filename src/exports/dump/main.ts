// What the package runs in the thread that makes one dump or one snapshot (`#dump-worker`).
import { serveDumps } from "./serve-dumps.js";

serveDumps();
