import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CopyTarget } from "../../src/exports/dump/copy-target.js";
import { copyFile } from "../../src/sqlite/copy-file.js";
import { databaseOf } from "../exports/dump/dump-fixture.js";
import { atEnd } from "../support/at-end.js";
import { tempDir } from "../support/temp-dir.js";

describe("copyFile", () => {
  it("leaves a file alone that this process may have open: closing it would let go of its locks", async () => {
    const target = new CopyTarget(join(tempDir(), "copy.db"), { maxBytes: 1e9, minFreeBytes: 0 });
    atEnd(() => target.close());
    expect(await copyFile(databaseOf(0.1, "wal"), target, () => {})).toBe(false);
    expect(target.bytes).toBe(0);
  });
});
