import { beforeAll, describe, expect, it } from "vitest";
import type { ArtifactStore, StoredPart } from "../../../src/exports/artifacts/artifact-store.js";
import type { S3Patience } from "../../../src/exports/artifacts/s3-link.js";
import { createS3Store } from "../../../src/exports/artifacts/s3-store.js";
import { atEnd } from "../../support/at-end.js";
import { s3ServerMissing, startS3Server, type TestS3 } from "../../support/s3-server.js";
import { startTcpProxy } from "../../support/tcp-proxy.js";
import { waitFor } from "../../support/wait.js";
import { startMeddlingProxy } from "./meddling-proxy.js";
import { readAll, someBytes, writePart } from "./written-artifact.js";

const missing = s3ServerMissing();
const MIB = 1024 * 1024;
const JOB = { id: "job-1", fileName: "main.sql", mediaType: "application/sql" };

describe.skipIf(missing !== null)(`S3 store on a bad line${missing === null ? "" : `: ${missing}`}`, () => {
  let server: TestS3;
  beforeAll(async () => {
    server = await startS3Server();
  }, 60_000);

  const open = async (port: number, patience: S3Patience = {}) => {
    const store = await createS3Store(server.options(port), patience);
    atEnd(() => store.close());
    return store;
  };
  const mustResume = async (store: ArtifactStore, ticket: string, parts: readonly StoredPart[] = []) => {
    const writer = await store.resume(ticket, parts, () => {});
    if (writer === null) throw new Error("the parts are not what they were");
    return writer;
  };
  const finished = async (bytes: Uint8Array) => {
    const store = await open(server.port);
    const writer = await mustResume(store, await store.begin(JOB));
    const location = await writer.complete([await writePart(writer, 1, bytes)]);
    await writer.close();
    return location;
  };

  it("sends a part again whose connection is cut in the middle", async () => {
    const proxy = await startTcpProxy(server.port);
    const store = await open(proxy.port);
    const writer = await mustResume(store, await store.begin(JOB));
    proxy.setLatencyMs(20);
    const before = proxy.bytes.up;
    const bytes = someBytes(1, 8 * MIB);
    const writing = writePart(writer, 1, bytes);
    await waitFor(() => proxy.bytes.up > before + 2 * MIB, { everyMs: 1 });
    proxy.cut();
    const part = await writing;
    expect(proxy.bytes.up - before).toBeGreaterThan(9 * MIB);
    const location = await writer.complete([part]);
    await writer.close();
    expect((await readAll(store, location)).equals(bytes)).toBe(true);
  });

  it("goes on from the recorded parts after the server was away", async () => {
    const store = await open(server.port, { attempts: 1 });
    const ticket = await store.begin(JOB);
    const texts = [someBytes(1, 5 * MIB), someBytes(2, 100_000)];
    const writer = await mustResume(store, ticket);
    const first = await writePart(writer, 1, texts[0] as Uint8Array);
    await server.stop();
    const failed = writePart(writer, 2, texts[1] as Uint8Array);
    await expect(failed).rejects.toMatchObject({ code: "ARTIFACT_STORE", retryable: true });
    await writer.close();
    await expect(store.resume(ticket, [first], () => {})).rejects.toMatchObject({ retryable: true });
    await server.start();
    const again = await mustResume(store, ticket, [first]);
    const location = await again.complete([first, await writePart(again, 2, texts[1] as Uint8Array)]);
    await again.close();
    expect((await readAll(store, location)).equals(Buffer.concat(texts))).toBe(true);
  });

  it("asks again a server that is busy, and says so when it stays busy", async () => {
    const proxy = await startMeddlingProxy(server.port);
    const store = await open(proxy.port, { attempts: 3 });
    const ticket = await store.begin(JOB);
    const writer = await mustResume(store, ticket);
    const busy = { status: 503, body: "<Error><Code>SlowDown</Code><Message>Reduce your rate</Message></Error>" };
    let left = 2;
    proxy.meddle(() => (left-- > 0 ? busy : "pass"));
    const part = await writePart(writer, 1, someBytes(1, 1000));
    left = 1000;
    await expect(writer.complete([part])).rejects.toMatchObject({
      code: "ARTIFACT_STORE",
      retryable: true,
      status: 503,
      message: expect.stringContaining("SlowDown"),
    });
    left = 0;
    expect(await writer.complete([part])).toBe("s3://exports/job-1.sql");
    await writer.close();
  });

  it("knows an export for complete whose answer was lost", async () => {
    const proxy = await startMeddlingProxy(server.port);
    const store = await open(proxy.port);
    const ticket = await store.begin(JOB);
    const writer = await mustResume(store, ticket);
    const part = await writePart(writer, 1, someBytes(1, 1000));
    let lost = 0;
    proxy.meddle(({ method, url }) => {
      if (method !== "POST" || !url.includes("uploadId") || lost > 0) return "pass";
      lost += 1;
      return "lose";
    });
    const location = await writer.complete([part]);
    await writer.close();
    expect(lost).toBe(1);
    expect((await readAll(store, location)).byteLength).toBe(1000);
  });

  it("begins where it may not ask whether an object is there", async () => {
    const proxy = await startMeddlingProxy(server.port);
    const store = await open(proxy.port);
    proxy.meddle(({ method }) => (method === "HEAD" ? { status: 403 } : "pass"));
    const ticket = await store.begin(JOB);
    const writer = await mustResume(store, ticket);
    const part = await writePart(writer, 1, someBytes(1, 10));
    // But what cannot be proved is not taken for finished.
    await expect(writer.complete([part])).rejects.toMatchObject({
      retryable: false,
      hint: expect.stringContaining("ListBucket"),
    });
    proxy.meddle(() => "pass");
    expect(await writer.complete([part])).toBe("s3://exports/job-1.sql");
    await writer.close();
  });

  it("leaves no upload behind whose beginning nobody was told of", async () => {
    await server.empty();
    const proxy = await startMeddlingProxy(server.port);
    const store = await open(proxy.port, { attempts: 1 });
    proxy.meddle(({ method }) => (method === "POST" ? "lose" : "pass"));
    await expect(store.begin(JOB)).rejects.toMatchObject({ code: "ARTIFACT_STORE", retryable: true });
    expect(await server.contents()).toEqual(["job-1.sql (upload)"]);
    proxy.meddle(() => "pass");
    const ticket = await store.begin(JOB);
    expect(await server.contents()).toEqual(["job-1.sql (upload)"]);
    await store.remove(ticket, null);
    expect(await server.contents()).toEqual([]);
  });

  it("gives up on a server that says nothing any more", async () => {
    const proxy = await startTcpProxy(server.port);
    const store = await open(proxy.port, { silenceMs: 300, attempts: 1 });
    const writer = await mustResume(store, await store.begin(JOB));
    proxy.blackHole();
    await expect(writePart(writer, 1, someBytes(1, 100_000))).rejects.toMatchObject({
      code: "ARTIFACT_STORE",
      retryable: true,
    });
    await writer.close();
  });

  it("gives up on an answer that comes too slowly to ever end", async () => {
    const proxy = await startTcpProxy(server.port);
    const store = await open(proxy.port, { silenceMs: 10_000, requestMs: 500, attempts: 1 });
    proxy.drip(1, 50);
    await expect(store.begin(JOB)).rejects.toMatchObject({ code: "ARTIFACT_STORE", retryable: true });
  });

  it("ends what is under way when it is closed, and the writer's own when that is", async () => {
    const proxy = await startTcpProxy(server.port);
    const store = await open(proxy.port);
    const writer = await mustResume(store, await store.begin(JOB));
    const again = await mustResume(store, await store.begin({ ...JOB, id: "job-2" }));
    proxy.blackHole();
    const stuck = [writePart(writer, 1, someBytes(1, 1000)), writePart(again, 1, someBytes(1, 1000))];
    const ends = stuck.map((each) => each.catch((error: unknown) => error));
    await waitFor(() => proxy.connections.open >= 2);
    await writer.close();
    expect(await ends[0]).toMatchObject({ code: "STOPPED" });
    await store.close();
    expect(await ends[1]).toMatchObject({ code: "STOPPED" });
    await again.close();
    await expect(store.begin(JOB)).rejects.toMatchObject({ code: "STOPPED" });
    await waitFor(() => proxy.connections.open === 0);
  });

  it("goes on with a download where the connection was cut", async () => {
    const bytes = someBytes(1, 5 * MIB);
    const location = await finished(bytes);
    const proxy = await startTcpProxy(server.port);
    proxy.resetAfter(MIB + 12_345);
    const store = await open(proxy.port);
    expect((await readAll(store, location)).equals(bytes)).toBe(true);
    const piece = await readAll(store, location, { start: 1_000_000, end: 4_500_000 });
    expect(piece.equals(bytes.subarray(1_000_000, 4_500_001))).toBe(true);
    expect(proxy.connections.total).toBeGreaterThan(6);
  });

  it("goes on with a download whose reader took so long that the connection was given up", async () => {
    const bytes = someBytes(1, 32 * MIB);
    const location = await finished(bytes);
    const proxy = await startTcpProxy(server.port);
    const store = await open(proxy.port, { silenceMs: 200 });
    const pieces: Uint8Array[] = [];
    for await (const piece of store.read(location, null, new AbortController().signal)) {
      pieces.push(piece);
      if (pieces.length === 1) await waitFor(() => proxy.connections.open === 0);
    }
    expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
    expect(proxy.connections.total).toBeGreaterThan(1);
  });

  it("never puts two objects into one download", async () => {
    const location = await finished(someBytes(1, 3 * MIB));
    const proxy = await startTcpProxy(server.port);
    proxy.resetAfter(MIB);
    const store = await open(proxy.port);
    const reading = (async () => {
      for await (const _ of store.read(location, null, new AbortController().signal)) {
        await finished(someBytes(2, 3 * MIB));
      }
    })();
    await expect(reading).rejects.toMatchObject({ code: "ARTIFACT_STORE", retryable: false });
  });

  it("lets go of the connection when a reader leaves early", async () => {
    const location = await finished(someBytes(1, 8 * MIB));
    const proxy = await startTcpProxy(server.port);
    const store = await open(proxy.port);
    for await (const piece of store.read(location, null, new AbortController().signal)) {
      expect(piece.byteLength).toBeGreaterThanOrEqual(512 * 1024);
      break;
    }
    await waitFor(() => proxy.connections.open === 0);
    expect(proxy.bytes.down).toBeLessThan(8 * MIB);
  });
});
