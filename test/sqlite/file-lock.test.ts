import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { lockFile } from "../../src/sqlite/file-lock.js";
import { buildSnippet } from "../support/build-once.js";
import { spawnNode } from "../support/child.js";
import { tempDir } from "../support/temp-dir.js";

const TAKEN = { what: "The file is being copied into by another process", hint: "stop that one" };

describe("lockFile", () => {
  it("lets one hold it at a time, and says what to do", async () => {
    const path = join(tempDir(), "replica.db");
    writeFileSync(path, "");
    symlinkSync(path, `${path}-link`);
    const lock = await lockFile(path, TAKEN);
    await expect(lockFile(`${path}-link`, TAKEN)).rejects.toMatchObject({ code: "LOCAL_DATABASE" });
    await expect(lockFile(path, TAKEN)).rejects.toMatchObject({
      code: "LOCAL_DATABASE",
      retryable: true,
      message: expect.stringContaining("another process"),
    });
    lock.release();
    (await lockFile(path, TAKEN)).release();
  });

  it("is let go of by a process that is killed, and does not hinder readers", async () => {
    const path = join(tempDir(), "replica.db");
    const database = new Database(path);
    database.exec("CREATE TABLE t (a); INSERT INTO t VALUES (1)");
    const file = await buildSnippet(
      `import { lockFile } from "./src/sqlite/file-lock.ts"; await lockFile(process.argv[2], { what: "taken", hint: "" }); console.log("held"); setInterval(() => {}, 1e6);`,
    );
    const child = spawnNode(file, [path]);
    await child.waitForLine(/^held$/);
    await expect(lockFile(path, TAKEN)).rejects.toMatchObject({ code: "LOCAL_DATABASE" });
    expect(database.prepare("SELECT a FROM t").all()).toEqual([{ a: 1 }]);
    database.exec("INSERT INTO t VALUES (2)");
    await child.kill();
    (await lockFile(path, TAKEN)).release();
    database.close();
  });
});
