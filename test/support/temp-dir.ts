import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { atEnd } from "./at-end.js";

/**
 * Makes an empty folder of its own under the system's temp folder and returns its real path. It is removed with all that is in it when
 * the test ends, or the file when it was made in `beforeAll`. Made before what writes into it, it is removed after that has stopped.
 */
export function tempDir(prefix = "starfish-replica-"): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), prefix)));
  atEnd(() => rmSync(path, { recursive: true, force: true, maxRetries: 3 }));
  return path;
}
