import { describe, expect, it, vi } from "vitest";
import { ReplicaError } from "../../../src/errors.js";
import { atEnd } from "../../support/at-end.js";
import { deferred, waitFor } from "../../support/wait.js";
import { FakeExports } from "./fake-exports.js";

const FILE = Buffer.from(Uint8Array.from({ length: 250_000 }, (_, index) => index % 251));

async function completed(fake: FakeExports) {
  const exports = fake.exports();
  await exports.start();
  const { id } = await exports.startJob({ format: "json", tables: ["users"] });
  fake.complete(id, FILE);
  return { exports, id };
}

async function read(body: ReadableStream<Uint8Array>): Promise<Buffer> {
  return Buffer.from(await new Response(body).arrayBuffer());
}

describe("download", () => {
  it("gives the whole file, or a piece, and closes it", async () => {
    const fake = new FakeExports();
    const { exports, id } = await completed(fake);
    const whole = await exports.download(id);
    expect(whole).toMatchObject({
      fileName: "users-2026-01-31.json",
      mediaType: "application/json",
      bytes: FILE.length,
      job: { id, state: "completed" },
    });
    expect((await read(whole.body)).equals(FILE)).toBe(true);
    const piece = await exports.download(id, { range: { start: 10, end: 199_999 } });
    expect(piece.bytes).toBe(FILE.length);
    expect((await read(piece.body)).equals(FILE.subarray(10, 200_000))).toBe(true);
    await waitFor(() => fake.readers.size === 0);
  });

  it("refuses a range that is not in the file", async () => {
    const { exports, id } = await completed(new FakeExports());
    for (const [start, end] of [
      [-1, 5],
      [5, 4],
      [0, FILE.length],
      [0.5, 2],
      [0, Number.NaN],
      ["0", "1"],
    ]) {
      const asked = exports.download(id, { range: { start, end } as never });
      await expect(asked).rejects.toMatchObject({ code: "INVALID_EXPORT", message: expect.stringMatching(/^range /) });
    }
  });

  it("says why there is no file", async () => {
    const fake = new FakeExports();
    const { exports, id } = await completed(fake);
    const queued = await exports.startJob();
    await expect(exports.download(queued.id)).rejects.toMatchObject({ code: "JOB_UNFINISHED", retryable: true });
    fake.become(queued.id, { state: "failed", error: { code: "DISK_LIMIT", message: "no room" } });
    await expect(exports.download(queued.id)).rejects.toMatchObject({
      code: "JOB_FAILED",
      message: "The export failed: no room (DISK_LIMIT)",
    });
    fake.loseFile(id);
    await expect(exports.download(id)).rejects.toMatchObject({ code: "ARTIFACT_MISSING" });
  });

  it("is made as it is read, and no further", async () => {
    const fake = new FakeExports();
    const { exports, id } = await completed(fake);
    const { body } = await exports.download(id);
    const reader = body.getReader();
    const { value } = await reader.read();
    expect(value).toHaveLength(65_536);
    expect(fake.readers.get(1)?.at).toBe(100_000);
    await reader.cancel();
    expect(fake.readers.size).toBe(0);
  });

  it("errors where the file is shorter or longer than the job says, and gives no byte too many", async () => {
    const fake = new FakeExports();
    const { exports, id } = await completed(fake);
    const longer = Buffer.concat([FILE, Buffer.from("more")]);
    const piece = { start: 1, end: FILE.length - 1 };
    for (const [bytes, range] of [
      [FILE.subarray(0, -1), undefined],
      [FILE.subarray(0, -1), piece],
      [FILE.subarray(0, 0), undefined],
      [longer, undefined],
    ] as const) {
      fake.replaceFile(id, bytes);
      const { body } = await exports.download(id, { range });
      let given = 0;
      const reading = (async () => {
        for await (const { length } of body) given += length;
      })();
      const message = `there should be ${range === undefined ? FILE.length : FILE.length - 1}`;
      await expect(reading).rejects.toMatchObject({
        code: "ARTIFACT_STORE",
        message: expect.stringContaining(message),
      });
      expect(given).toBeLessThan(FILE.length);
    }
    fake.replaceFile(id, longer);
    expect((await read((await exports.download(id, { range: piece })).body)).equals(FILE.subarray(1))).toBe(true);
    await waitFor(() => fake.readers.size === 0);
  });

  it("ends where nobody reads it for five minutes, so that whoever waits for its reader learns of it", async () => {
    const fake = new FakeExports();
    const { exports, id } = await completed(fake);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    atEnd(() => vi.useRealTimers());
    const reader = (await exports.download(id)).body.getReader();
    const closed = reader.closed.catch((error: unknown) => error);
    vi.advanceTimersByTime(299_000);
    expect((await reader.read()).value).toHaveLength(65_536);
    vi.advanceTimersByTime(299_000);
    expect((await reader.read()).value).toHaveLength(34_464);
    vi.advanceTimersByTime(300_000);
    expect(await closed).toMatchObject({ code: "STOPPED", message: expect.stringContaining("300 s") });
    expect(fake.readers.size).toBe(0);
  });

  it("errors where the file breaks off, where the signal says so and where exports stop", async () => {
    const fake = new FakeExports();
    const { exports, id } = await completed(fake);
    const broken = await exports.download(id);
    fake.script.read = () => {
      throw new ReplicaError("ARTIFACT_STORE", "the bucket is gone");
    };
    await expect(read(broken.body)).rejects.toMatchObject({ code: "ARTIFACT_STORE" });
    const hanging = deferred();
    fake.script.read = () => hanging.promise;
    const gone = new AbortController();
    const aborted = read((await exports.download(id, { signal: gone.signal })).body);
    gone.abort(new Error("enough"));
    await expect(aborted).rejects.toThrow("enough");
    const stopped = read((await exports.download(id)).body);
    stopped.catch(() => {});
    await exports.stop();
    await expect(stopped).rejects.toMatchObject({ code: "STOPPED" });
    expect(fake.readers.size).toBe(0);
    hanging.resolve();
  });
});
