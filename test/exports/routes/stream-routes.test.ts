import { type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { gunzipSync } from "node:zlib";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { ReplicaError } from "../../../src/errors.js";
import type { Exports } from "../../../src/exports/index.js";
import { atEnd } from "../../support/at-end.js";
import { deferred, waitFor } from "../../support/wait.js";
import { FakeExports, some } from "../facade/fake-exports.js";
import { type ExportHost, startExportHost, TOKEN } from "./export-host.js";

const CODINGS = ["gzip", "identity"] as const;

describe.each(CODINGS)("a stream over HTTP, %s", (coding) => {
  let fake: FakeExports;
  let exports: Exports;
  let host: ExportHost;

  beforeEach(async () => {
    fake = new FakeExports();
    exports = fake.exports();
    await exports.start();
    host = await startExportHost(exports);
  });

  /** The answer, before any of its body is read. */
  function get(path = "/export/dump"): Promise<IncomingMessage> {
    const headers = { authorization: `Bearer ${TOKEN}`, "accept-encoding": coding };
    return new Promise((resolve, reject) => {
      const asked = request({ host: "127.0.0.1", port: host.host.port, path, headers }, (answer) => {
        answer.on("error", () => {});
        resolve(answer);
      });
      asked.on("error", reject);
      asked.end();
    });
  }

  it("comes to the byte, in chunks", async () => {
    const pieces = Array.from({ length: 40 }, (_, index) => Buffer.alloc(90_000, `piece ${index * 7919} `));
    fake.script.pieces = async function* () {
      yield* pieces;
    };
    const { headers, bytes } = await host.call("GET", "/export/dump", { "accept-encoding": coding });
    expect(headers.get("content-encoding")).toBe(coding === "gzip" ? "gzip" : null);
    expect(headers.get("transfer-encoding")).toBe("chunked");
    const plain = coding === "gzip" ? gunzipSync(bytes) : bytes;
    expect(plain.equals(Buffer.concat(pieces))).toBe(true);
  });

  it("is nothing where the dump is nothing", async () => {
    fake.script.pieces = () => some();
    const { status, bytes } = await host.call("GET", "/export/dump", { "accept-encoding": coding });
    expect([status, (coding === "gzip" ? gunzipSync(bytes) : bytes).length]).toEqual([200, 0]);
  });

  it("sends its first bytes before there are more", async () => {
    const held = deferred();
    fake.script.pieces = async function* () {
      yield* some("CREATE TABLE first(a);");
      await held.promise;
      yield* some("CREATE TABLE second(a);");
    };
    const answer = await get();
    const pieces: Buffer[] = [];
    answer.on("data", (piece: Buffer) => pieces.push(piece));
    // A gzip stream that is flushed can be read up to there.
    const soFar = () => {
      const bytes = Buffer.concat(pieces);
      return (coding === "gzip" ? gunzipSync(bytes, { finishFlush: 2 }) : bytes).toString();
    };
    await waitFor(() => soFar() === "CREATE TABLE first(a);");
    held.resolve();
    await waitFor(() => answer.complete && soFar() === "CREATE TABLE first(a);CREATE TABLE second(a);");
  });

  it("breaks where the dump fails half way, and never ends as if it were whole", async () => {
    const told = vi.spyOn(console, "error").mockImplementation(() => {});
    atEnd(() => told.mockRestore());
    for (const before of [0, 1, 3, 200]) {
      const answered = deferred();
      fake.script.pieces = async function* () {
        for (let n = 0; n < before; n += 1) yield Buffer.alloc(10_000, `row ${n} `);
        await answered.promise;
        throw new ReplicaError("LOCAL_DATABASE", "damaged");
      };
      const answer = await get();
      const closed = new Promise((resolve) => answer.once("close", resolve));
      answered.resolve();
      answer.resume();
      await closed;
      expect([before, answer.statusCode, answer.complete]).toEqual([before, 200, false]);
      await waitFor(() => fake.dumps.every(({ closed: ended }) => ended));
    }
  });

  it("breaks in HTTP/1.0 too, in which an answer ends with its connection", async () => {
    const told = vi.spyOn(console, "error").mockImplementation(() => {});
    atEnd(() => told.mockRestore());
    const ask = (pieces: () => AsyncIterable<Uint8Array>) => {
      fake.script.pieces = pieces;
      const socket = connect(host.host.port, "127.0.0.1");
      const bytes: Buffer[] = [];
      const heard = new Promise((resolve) => socket.once("data", resolve));
      const ended = new Promise((resolve) => {
        socket.once("error", ({ code }: NodeJS.ErrnoException) => resolve(code)).once("end", () => resolve("end"));
      });
      socket.on("data", (piece: Buffer) => bytes.push(piece));
      const headers = `Host: it\r\nAuthorization: Bearer ${TOKEN}\r\nAccept-Encoding: ${coding}`;
      socket.write(`GET /export/dump HTTP/1.0\r\n${headers}\r\n\r\n`);
      return { heard, ended, bytes };
    };
    const heard = deferred();
    const broken = ask(async function* () {
      yield* some("row 1\r\n");
      await heard.promise;
      throw new ReplicaError("LOCAL_DATABASE", "damaged");
    });
    await broken.heard;
    heard.resolve();
    expect(await broken.ended).toBe("ECONNRESET");
    expect(Buffer.concat(broken.bytes).toString("latin1")).toMatch(/^HTTP\/1.1 200 /);
    const whole = ask(() => some("row 1\r\n", "row 2\r\n"));
    expect(await whole.ended).toBe("end");
    const bytes = Buffer.concat(whole.bytes);
    const body = bytes.subarray(bytes.indexOf("\r\n\r\n") + 4);
    expect((coding === "gzip" ? gunzipSync(body) : body).toString()).toBe("row 1\r\nrow 2\r\n");
  });

  it("breaks where it fails while its reader is behind", async () => {
    const told = vi.spyOn(console, "error").mockImplementation(() => {});
    atEnd(() => told.mockRestore());
    fake.script.pieces = async function* () {
      // What gzip cannot make smaller fills the pipes.
      for (let n = 0; ; n += 1) yield noise(n);
    };
    const answer = await get();
    let pulled = -1;
    await waitFor(
      () => {
        const before = pulled;
        pulled = fake.dumps[0]?.pulled ?? 0;
        return pulled > 10 && pulled === before;
      },
      { everyMs: 200, timeoutMs: 15_000 },
    );
    await exports.stop();
    expect(fake.dumps[0]?.closed).toBe(true);
    const closed = new Promise((resolve) => answer.once("close", resolve));
    const pieces: Buffer[] = [];
    answer.on("data", (piece: Buffer) => pieces.push(piece));
    await closed;
    expect(answer.complete).toBe(false);
    // What went wrong stands in no export.
    expect(Buffer.concat(pieces).includes("Error")).toBe(false);
  });

  it("is made no faster than it is read, and ends with a client that goes away", async () => {
    const told = vi.spyOn(console, "error").mockImplementation(() => {});
    atEnd(() => told.mockRestore());
    const ended = deferred();
    fake.script.pieces = async function* () {
      try {
        for (let n = 0; ; n += 1) yield noise(n);
      } finally {
        ended.resolve();
      }
    };
    const answer = await get();
    let pulled = -1;
    // 64 MiB at most lie in the pipes of the system; unhindered this takes a second.
    await waitFor(
      () => {
        const before = pulled;
        pulled = fake.dumps[0]?.pulled ?? 0;
        return pulled > 10 && pulled === before;
      },
      { everyMs: 200, timeoutMs: 15_000 },
    );
    expect(pulled).toBeLessThan(64 * 16);
    answer.destroy();
    await ended.promise;
    await waitFor(() => fake.dumps[0]?.closed);
    expect(await (await exports.stream()).body.cancel()).toBeUndefined();
    // That somebody leaves is no failure of the server.
    expect(told).not.toHaveBeenCalled();
  });

  it("is cut where its client stops reading, since it holds up the database", async () => {
    const told = vi.spyOn(console, "error").mockImplementation(() => {});
    atEnd(() => told.mockRestore());
    const impatient = fake.exports({ streamStallSeconds: 1 });
    await impatient.start();
    host = await startExportHost(impatient);
    fake.script.pieces = async function* () {
      for (let n = 0; ; n += 1) yield noise(n);
    };
    const answer = await get();
    const closed = new Promise((resolve) => answer.once("close", resolve));
    await waitFor(() => fake.dumps[0]?.closed, { timeoutMs: 15_000 });
    // Not only the dump: a client that never reads again would keep its connection for ever.
    await waitFor(() => host.host.connections.open === 0);
    answer.resume();
    await closed;
    expect(answer.complete).toBe(false);
  });

  it("opens nothing for a client that has gone before it is open", async () => {
    const opening = deferred<AbortSignal>();
    fake.script.openDump = (_, signal) => {
      opening.resolve(signal);
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    };
    const headers = { authorization: `Bearer ${TOKEN}`, "accept-encoding": coding };
    const asked = request({ host: "127.0.0.1", port: host.host.port, path: "/export/dump", headers });
    asked.on("error", () => {});
    asked.end();
    const signal = await opening.promise;
    asked.destroy();
    await waitFor(() => signal.aborted);
    delete fake.script.openDump;
    expect(fake.dumps).toEqual([]);
    await waitFor(async () => (await host.call("GET", "/export/dump")).status === 200);
  });
});

/** 64 KiB that nothing makes smaller. */
function noise(seed: number): Buffer {
  const bytes = Buffer.alloc(65_536);
  let state = (seed + 1) * 2_654_435_761;
  for (let at = 0; at < bytes.length; at += 4) {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 1) >>> 0;
    bytes.writeUInt32LE(state, at);
  }
  return bytes;
}
