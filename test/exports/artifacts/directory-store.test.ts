import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createDirectoryStore } from "../../../src/exports/artifacts/directory-store.js";
import { mountSmallDisk } from "../../support/small-disk.js";
import { tempDir } from "../../support/temp-dir.js";
import { registerArtifactStoreTests } from "./artifact-store-conformance.js";
import { readAll, someBytes, writePart } from "./written-artifact.js";

const JOB = { id: "job-1", fileName: "main.sql", mediaType: "application/sql" };

function filesIn(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

registerArtifactStoreTests("directory", async () => {
  const dir = tempDir();
  return {
    partBytes: 300_000,
    open: async () => createDirectoryStore({ dir }),
    contents: async () => filesIn(dir),
    async spoil(_ticket, part) {
      const file = join(dir, "work", "job-1", "artifact.part");
      const bytes = readFileSync(file);
      const at = (part.number - 1) * 300_000;
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      writeFileSync(file, bytes);
    },
    lose: async () => rmSync(join(dir, "work"), { recursive: true }),
  };
});

describe("createDirectoryStore", () => {
  const finished = async (dir: string) => {
    const store = createDirectoryStore({ dir });
    const ticket = await store.begin(JOB);
    const writer = await store.resume(ticket, [], () => {});
    if (writer === null) throw new Error("no writer");
    const part = await writePart(writer, 1, someBytes(1, 2_000_000));
    const location = await writer.complete([part]);
    await writer.close();
    return { store, ticket, part, location };
  };

  it("lets this user alone read files and folders", async () => {
    const dir = join(tempDir(), "made", "by us");
    const { store } = await finished(dir);
    await store.begin({ ...JOB, id: "job-2" });
    for (const name of ["", "work", "work/job-2", "files"]) expect(statSync(join(dir, name)).mode & 0o777).toBe(0o700);
    for (const file of filesIn(dir)) expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(filesIn(dir)).toEqual([join(dir, "files/job-1.sql"), join(dir, "work/job-2/artifact.part")]);
  });

  it("leaves alone what else lies in a job's folder", async () => {
    const dir = tempDir();
    const { store, ticket, location } = await finished(dir);
    mkdirSync(join(dir, "work", "job-1"), { recursive: true });
    writeFileSync(join(dir, "work", "job-1", "snapshot.db"), "");
    await store.begin(JOB);
    await store.remove(ticket, location);
    expect(filesIn(dir)).toEqual([join(dir, "work", "job-1", "snapshot.db")]);
  });

  it("completes where somebody has cleared the job's folder away meanwhile", async () => {
    const dir = tempDir();
    const { store, ticket, part } = await finished(dir);
    rmSync(join(dir, "work", "job-1"), { recursive: true });
    const writer = await store.resume(ticket, [part], () => {});
    expect(await writer?.complete([part])).toBe("job-1.sql");
    await writer?.close();
  });

  it("follows no link, neither when it reads nor when it goes on", async () => {
    const dir = tempDir();
    const secret = join(tempDir(), "secret");
    writeFileSync(secret, "not yours");
    const { store, ticket, location } = await finished(dir);
    rmSync(join(dir, "files", location));
    symlinkSync(secret, join(dir, "files", location));
    await expect(readAll(store, location)).rejects.toMatchObject({ code: "ARTIFACT_STORE" });
    symlinkSync(secret, join(dir, "work", "job-1", "artifact.part"));
    await expect(store.resume(ticket, [], () => {})).rejects.toMatchObject({ code: "ARTIFACT_STORE" });
    // A new beginning removes the links, not what they lead to.
    await store.begin(JOB);
    expect(readFileSync(secret, "utf8")).toBe("not yours");
  });

  it("says what lies in its way", async () => {
    const dir = join(tempDir(), "exports");
    writeFileSync(dir, "a file");
    const error = await createDirectoryStore({ dir })
      .begin(JOB)
      .catch((e: unknown) => e);
    expect(error).toMatchObject({ code: "ARTIFACT_STORE", retryable: false });
    expect((error as { hint: string }).hint).toContain(`"${dir}"`);
  });

  it("says which folder it may not write in", async (context) => {
    const dir = process.getuid?.() === 0 ? mountSmallDisk(1) : tempDir();
    if (dir === null) return context.skip("needs the right to mount a tmpfs, or not to be root");
    // Root may write wherever the disk may be written to.
    if (process.getuid?.() === 0) execFileSync("mount", ["-o", "remount,ro", dir]);
    else chmodSync(dir, 0o500);
    await expect(createDirectoryStore({ dir }).begin(JOB)).rejects.toMatchObject({
      code: "ARTIFACT_STORE",
      retryable: false,
      hint: expect.stringContaining(`"${dir}"`),
    });
  });

  it("says that a file ends too early, and that one is gone", async () => {
    const dir = tempDir();
    const { store, location } = await finished(dir);
    writeFileSync(join(dir, "files", location), "short");
    await expect(readAll(store, location, { start: 2, end: 100 })).rejects.toMatchObject({ code: "ARTIFACT_STORE" });
    rmSync(join(dir, "files"), { recursive: true });
    await expect(readAll(store, location)).rejects.toMatchObject({ code: "ARTIFACT_MISSING" });
  });

  it.skipIf(process.platform !== "linux")("keeps no file open", async () => {
    const dir = tempDir();
    const { store, ticket, part, location } = await finished(dir);
    for await (const piece of store.read(location, null, new AbortController().signal)) {
      expect(piece.byteLength).toBeLessThanOrEqual(1024 * 1024);
      break;
    }
    await store.resume(ticket, [{ ...part, sha256: "0".repeat(64) }], () => {});
    await store.begin(JOB);
    const writer = await store.resume(ticket, [], () => {});
    await writer?.part(1).write(someBytes(1, 10));
    await writer?.close();
    const open = readdirSync("/proc/self/fd").flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/self/fd/${fd}`)];
      } catch {
        return [];
      }
    });
    expect(open.filter((path) => path.startsWith(dir))).toEqual([]);
  });
});
