import { describe, expect, it } from "vitest";
import { ReplicaError } from "../../../src/errors.js";
import { realDelay } from "../../support/real-time.js";
import { deferred, waitFor } from "../../support/wait.js";
import { FakeExports, some } from "./fake-exports.js";

async function text(body: ReadableStream<Uint8Array>): Promise<string> {
  return await new Response(body).text();
}

async function started(fake: FakeExports, options: object = {}) {
  const exports = fake.exports(options);
  await exports.start();
  return exports;
}

describe("stream", () => {
  it("gives the database as it is now, named after it and the day", async () => {
    const fake = new FakeExports();
    const exports = await started(fake, { except: ["logs"] });
    const { fileName, mediaType, body } = await exports.stream();
    expect(fileName).toBe(`shop-${new Date().toISOString().slice(0, 10)}.sql`);
    expect(mediaType).toBe("application/sql");
    expect(await text(body)).toBe("onetwo");
    await waitFor(() => fake.dumps[0]?.closed);
  });

  it("asks the dump for what was selected", async () => {
    const fake = new FakeExports();
    const exports = await started(fake, { except: ["logs"] });
    await exports.stream({ format: "json", tables: ["users"] });
    await exports.stream({ format: "csv", table: "logs" });
    await exports.stream({ format: "csv", tables: ["users"] });
    await exports.stream({ format: "ndjson" });
    expect(fake.dumps.map(({ request }) => request)).toEqual([
      { format: "json", selection: { tables: ["users"] } },
      { format: "csv", selection: { table: "logs" } },
      { format: "csv", selection: { tables: ["users"] } },
      { format: "ndjson", selection: { tables: "all", except: ["logs"] } },
    ]);
  });

  it("refuses what cannot be, before anything is opened", async () => {
    const fake = new FakeExports();
    const exports = await started(fake);
    for (const selection of [
      { format: "csv" },
      { table: 5 },
      { table: "a", tables: ["a"] },
      { format: 1 },
      null,
      { x: 1 },
    ])
      await expect(exports.stream(selection as never)).rejects.toMatchObject({ code: "INVALID_EXPORT" });
    expect(fake.dumps).toEqual([]);
  });

  it("says what the schema says, and that a format has no form for it", async () => {
    const fake = new FakeExports();
    const exports = await started(fake, { maxStreams: 1 });
    for (const [thrown, code] of [
      [new ReplicaError("TABLE_MISSING", "There is no table"), "TABLE_MISSING"],
      [new ReplicaError("INVALID_CONFIGURATION", "A CSV file holds one table, not 3."), "INVALID_EXPORT"],
    ] as const) {
      fake.script.openDump = () => {
        throw thrown;
      };
      await expect(exports.stream()).rejects.toMatchObject({ code, message: thrown.message });
    }
    delete fake.script.openDump;
    expect(await text((await exports.stream()).body)).toBe("onetwo");
  });

  it("makes nothing that is not read, and lets go when it is cancelled", async () => {
    const fake = new FakeExports();
    const ended = deferred();
    fake.script.pieces = async function* () {
      try {
        for (;;) yield new Uint8Array(200_000);
      } finally {
        ended.resolve();
      }
    };
    const exports = await started(fake);
    const reader = (await exports.stream()).body.getReader();
    expect(fake.dumps[0]?.pulled).toBe(0);
    let bytes = 0;
    while (bytes < 200_000) bytes += (await reader.read()).value?.length ?? 0;
    expect([bytes, fake.dumps[0]?.pulled]).toEqual([200_000, 1]);
    await reader.cancel();
    expect(fake.dumps[0]?.closed).toBe(true);
    await ended.promise;
  });

  it("passes over empty pieces", async () => {
    const fake = new FakeExports();
    fake.script.pieces = () => some("", "", "a", "", "b", "");
    expect(await text((await (await started(fake)).stream()).body)).toBe("ab");
  });

  it("runs so many at once, counting those that are being opened, until their thread has ended", async () => {
    const fake = new FakeExports();
    const opening = deferred();
    fake.script.openDump = () => opening.promise;
    const exports = await started(fake, { maxStreams: 2 });
    const two = [exports.stream(), exports.stream()];
    await expect(exports.stream()).rejects.toMatchObject({
      code: "EXPORT_BUSY",
      retryable: true,
      retryAfterMs: expect.any(Number),
    });
    opening.resolve();
    const [one, other] = await Promise.all(two);
    await expect(exports.stream()).rejects.toMatchObject({ code: "EXPORT_BUSY" });
    await one?.body.cancel();
    const third = await exports.stream();
    await expect(exports.stream()).rejects.toMatchObject({ code: "EXPORT_BUSY" });
    expect(await text(third.body)).toBe("onetwo");
    expect(await text((await exports.stream()).body)).toBe("onetwo");
    await other?.body.cancel();
  });

  it("errors half way where the dump fails, and keeps no place", async () => {
    const fake = new FakeExports();
    fake.script.pieces = async function* () {
      yield* some("half");
      throw new ReplicaError("LOCAL_DATABASE", "damaged");
    };
    const exports = await started(fake, { maxStreams: 1 });
    for (let round = 0; round < 2; round += 1) {
      const reader = (await exports.stream()).body.getReader();
      expect(new TextDecoder().decode((await reader.read()).value)).toBe("half");
      await expect(reader.read()).rejects.toMatchObject({ code: "LOCAL_DATABASE" });
      await waitFor(() => fake.dumps.every(({ closed }) => closed));
    }
  });

  it("ends where nobody reads it for streamStallSeconds, from the beginning too", async () => {
    const fake = new FakeExports();
    const exports = await started(fake, { streamStallSeconds: 1 });
    const unread = (await exports.stream()).body.getReader();
    const halfRead = (await exports.stream()).body.getReader();
    await halfRead.read();
    await waitFor(() => fake.dumps.every(({ closed }) => closed));
    for (const reader of [unread, halfRead])
      await expect(reader.read()).rejects.toMatchObject({ code: "STOPPED", hint: expect.stringContaining("job") });
  });

  it("ends after maxStreamSeconds, though it is read all the time", async () => {
    const fake = new FakeExports();
    fake.script.pieces = async function* () {
      for (;;) {
        await realDelay(20);
        yield* some("a");
      }
    };
    const exports = await started(fake, { maxStreamSeconds: 1, maxStreams: 1 });
    for (let round = 0; round < 2; round += 1) {
      const endless = text((await exports.stream()).body);
      await expect(endless).rejects.toMatchObject({ code: "STOPPED", message: expect.stringContaining("lasted 1 s") });
      await waitFor(() => fake.dumps.every(({ closed }) => closed));
    }
  });

  it("does not take a slow dump for a reader that has stalled", async () => {
    const fake = new FakeExports();
    const held = deferred();
    fake.script.pieces = async function* () {
      yield* some("a");
      await held.promise;
      yield* some("b");
    };
    const exports = await started(fake, { streamStallSeconds: 1 });
    const all = text((await exports.stream()).body);
    const since = Date.now();
    await waitFor(() => Date.now() - since > 1_200);
    held.resolve();
    expect(await all).toBe("ab");
  });

  it("ends with the signal, while it is opened, read or left alone", async () => {
    const fake = new FakeExports();
    const exports = await started(fake, { maxStreams: 1 });
    await expect(exports.stream({}, { signal: AbortSignal.abort(new Error("before")) })).rejects.toThrow("before");
    const opening = new AbortController();
    fake.script.openDump = (_, signal) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    const never = exports.stream({}, { signal: opening.signal });
    opening.abort(new Error("opening"));
    await expect(never).rejects.toThrow("opening");
    delete fake.script.openDump;
    fake.script.pieces = (signal) => hangs(signal);
    const reading = new AbortController();
    const body = text((await exports.stream({}, { signal: reading.signal })).body);
    reading.abort(new Error("reading"));
    await expect(body).rejects.toThrow("reading");
    await waitFor(() => fake.dumps.every(({ closed }) => closed));
    const idle = new AbortController();
    const { body: left } = await exports.stream({}, { signal: idle.signal });
    idle.abort(new Error("idle"));
    await expect(text(left)).rejects.toThrow("idle");
    await waitFor(() => fake.dumps.every(({ closed }) => closed));
  });

  it("is cut with STOPPED by stop, which waits for its thread, also where it is being opened", async () => {
    const fake = new FakeExports();
    fake.script.pieces = (signal) => hangs(signal);
    const exports = await started(fake);
    const reading = text((await exports.stream()).body);
    reading.catch(() => {});
    fake.script.openDump = (_, signal) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    const opening = exports.stream();
    opening.catch(() => {});
    await exports.stop();
    expect(fake.dumps.map(({ closed }) => closed)).toEqual([true]);
    await expect(reading).rejects.toMatchObject({ code: "STOPPED" });
    await expect(opening).rejects.toMatchObject({ code: "STOPPED" });
  });
});

async function* hangs(signal: AbortSignal): AsyncGenerator<Uint8Array> {
  yield* some("a");
  await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}
