import { existsSync, rmSync, writeFileSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { createDirectoryStore } from "../../../src/exports/artifacts/directory-store.js";
import { atEnd } from "../../support/at-end.js";
import { mountSmallDisk } from "../../support/small-disk.js";
import { tempDir } from "../../support/temp-dir.js";
import { readAll, someBytes, writePart } from "./written-artifact.js";

const MIB = 1024 * 1024;
const JOB = { id: "job-1", fileName: "main.sql", mediaType: "application/sql" };

const begun = async (dir: string) => {
  const store = createDirectoryStore({ dir });
  const ticket = await store.begin(JOB);
  const writer = await store.resume(ticket, [], () => {});
  if (writer === null) throw new Error("no writer");
  atEnd(() => writer.close());
  return { store, ticket, writer };
};

/** What every open file has its methods from: to fail or to watch a system call, which no real disk does on demand. */
const fileMethods = async (dir: string): Promise<FileHandle> => {
  const file = await open(dir, "r");
  await file.close();
  return Object.getPrototypeOf(file);
};

describe("The directory store", () => {
  it("says that the disk is full, and goes on when there is room", async (context) => {
    const dir = mountSmallDisk(8);
    if (dir === null) return context.skip("needs the right to mount a tmpfs: run it as root on Linux");
    const filler = join(dir, "filler");
    writeFileSync(filler, Buffer.alloc(4 * MIB));
    const { store, ticket, writer } = await begun(dir);
    const texts = [someBytes(1, 2 * MIB), someBytes(2, 4 * MIB)];
    const first = await writePart(writer, 1, texts[0] as Uint8Array);
    const failed = await writePart(writer, 2, texts[1] as Uint8Array).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: "DISK_LIMIT", hint: expect.stringContaining(`"${dir}"`) });
    await expect(writePart(writer, 2, new Uint8Array(1))).rejects.toBe(failed);
    await expect(writer.complete([first])).rejects.toBe(failed);
    await writer.close();

    rmSync(filler);
    const again = await store.resume(ticket, [first], () => {});
    if (again === null) throw new Error("the first part is not what it was");
    const location = await again.complete([first, await writePart(again, 2, texts[1] as Uint8Array)]);
    await again.close();
    expect((await readAll(store, location)).equals(Buffer.concat(texts))).toBe(true);
  });

  it("has a part on the disk before it says so, and trusts nothing after that failed", async () => {
    const dir = tempDir();
    const { store, ticket, writer } = await begun(dir);
    const bytes = someBytes(1, 1000);
    const first = await writePart(writer, 1, bytes);
    const failure = Object.assign(new Error("EIO: i/o error, fdatasync"), { code: "EIO" });
    const sync = vi.spyOn(await fileMethods(dir), "datasync").mockRejectedValue(failure);
    atEnd(() => sync.mockRestore());
    const refused = await writePart(writer, 2, bytes).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "ARTIFACT_STORE", retryable: false, cause: failure });
    sync.mockRestore();
    // The system may have forgotten what it could not write: another sync would succeed and mean nothing.
    await expect(writePart(writer, 2, bytes)).rejects.toBe(refused);
    await writer.close();
    const again = await store.resume(ticket, [first], () => {});
    expect(await again?.complete([first])).toBe("job-1.sql");
    await again?.close();
  });

  it("has the whole file on the disk before it has its place, and its place before it says so", async () => {
    const dir = tempDir();
    const { writer } = await begun(dir);
    const part = await writePart(writer, 1, someBytes(1, 1000));
    const methods = await fileMethods(dir);
    const whenSynced: boolean[] = [];
    const original = methods.sync;
    const sync = vi.spyOn(methods, "sync").mockImplementation(async function (this: FileHandle) {
      whenSynced.push(existsSync(join(dir, "files", "job-1.sql")));
      await original.call(this);
    });
    atEnd(() => sync.mockRestore());
    await writer.complete([part]);
    // The file; then the folders that it went to and came from.
    expect(whenSynced).toEqual([false, true, true]);
    // And once more for those that the crash may have cut off.
    await writer.complete([part]);
    expect(whenSynced).toEqual([false, true, true, true, true]);
  });

  it("works where the file system syncs files but no folders, and says so where a folder cannot be synced otherwise", async () => {
    const dir = tempDir();
    const methods = await fileMethods(dir);
    const original = methods.sync;
    let code = "EINVAL";
    const sync = vi.spyOn(methods, "sync").mockImplementation(async function (this: FileHandle) {
      if ((await this.stat()).isDirectory()) throw Object.assign(new Error(`${code}: fsync`), { code });
      await original.call(this);
    });
    atEnd(() => sync.mockRestore());
    const { store, writer } = await begun(dir);
    const bytes = someBytes(1, 1000);
    const location = await writer.complete([await writePart(writer, 1, bytes)]);
    expect((await readAll(store, location)).equals(bytes)).toBe(true);
    code = "EIO";
    await expect(store.remove(null, location)).rejects.toMatchObject({ code: "ARTIFACT_STORE" });
  });

  it("fails where somebody made the half file shorter", async () => {
    const dir = tempDir();
    const { writer } = await begun(dir);
    const part = await writePart(writer, 1, someBytes(1, 1000));
    writeFileSync(join(dir, "work", "job-1", "artifact.part"), "short");
    await expect(writer.complete([part])).rejects.toMatchObject({ code: "ARTIFACT_STORE" });
    expect(existsSync(join(dir, "files", "job-1.sql"))).toBe(false);
  });

  it("fails where somebody removed the half file", async () => {
    const dir = tempDir();
    const { writer } = await begun(dir);
    const part = await writePart(writer, 1, someBytes(1, 1000));
    rmSync(join(dir, "work"), { recursive: true });
    await expect(writer.complete([part])).rejects.toMatchObject({
      code: "ARTIFACT_STORE",
      hint: expect.stringContaining(`"${dir}"`),
    });
  });
});
