import { statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeFolder } from "../../src/files/durable-folder.js";
import { tempDir } from "../support/temp-dir.js";

describe("a folder that is made to last", () => {
  it.each(["one", "one/two/three", "one/", "one//two", "./one/../other/two/"])(
    "is there for its user alone, with all above it: %s",
    async (path) => {
      const dir = tempDir();
      for (const _again of [1, 2]) {
        await makeFolder(`${dir}/${path}`);
        expect(statSync(join(dir, path)).mode & 0o777).toBe(0o700);
      }
    },
  );

  it("is refused where a file has its name", async () => {
    await expect(makeFolder(`${import.meta.filename}/one`)).rejects.toMatchObject({ code: "ENOTDIR" });
  });
});
