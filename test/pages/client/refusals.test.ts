import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { WebSocketServer } from "ws";
import type { ReplicaError } from "../../../src/errors.js";
import { atEnd } from "../../support/at-end.js";
import { startHttpHost } from "../../support/http-host.js";
import { startTcpProxy } from "../../support/tcp-proxy.js";
import { tempDir } from "../../support/temp-dir.js";
import { plainEncode } from "../plain/plain-frames.js";
import { leftBeside, makeFile, rowsOf, type SyncOptions, startFixture, syncHere } from "./client-fixture.js";

const TOKEN = "secret-token-0123456789";

/** What a pull into a file that is there fails with; the file stays as it was. */
async function failure(options: SyncOptions & { readonly origin: string }): Promise<ReplicaError> {
  const file = makeFile(join(tempDir(), "a.db"), { rows: 3 });
  const error = await syncHere("pull", file, { token: TOKEN, ...options }).catch((thrown: unknown) => thrown);
  expect(rowsOf(file)).toHaveLength(3);
  expect(leftBeside(file)).toEqual([]);
  expect(JSON.stringify(error) + String((error as Error).stack)).not.toContain(TOKEN);
  return error as ReplicaError;
}

describe("an answer that is no WebSocket", () => {
  it.each([
    [401, { code: "INVALID_TOKEN", status: 401, retryable: false }],
    [403, { code: "SYNC_REFUSED", status: 403, retryable: false }],
    [404, { code: "UNKNOWN_DATABASE", status: 404, retryable: false }],
    [426, { code: "SYNC_REFUSED", status: 426, retryable: false }],
    [500, { code: "SYNC_REFUSED", status: 500, retryable: true }],
    [503, { code: "SYNC_REFUSED", status: 503, retryable: true, retryAfterMs: 7_000 }],
  ])("of %i is told by its code", async (status, expected) => {
    const host = await startHttpHost((_request, response) => response.end());
    host.failWith(status, { "retry-after": "7" }, { body: JSON.stringify({ error: "Words of the server." }) });
    const error = await failure({ origin: host.origin });
    expect(error).toMatchObject(expected);
    expect(error.message).toContain("Words of the server.");
  });

  it("is told in the server's words, cut, and without what is no text, or our token", async () => {
    const host = await startHttpHost((_request, response) => response.end());
    const words = `\u001b[31mRed\u0007 ${TOKEN} \u202e${"long ".repeat(1_000)}`;
    host.failWith(400, {}, { body: JSON.stringify({ error: words }) });
    const { message } = await failure({ origin: host.origin });
    expect(message).toContain("Red");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none is what is tested.
    expect(message).not.toMatch(/[\u0000-\u001f\u202e]/);
    expect(message.length).toBeLessThan(450);
  });

  it("of a page of HTML, a redirect, or 200 is no page server's", async () => {
    const host = await startHttpHost((_request, response) => response.end("hello"));
    expect(await failure({ origin: host.origin })).toMatchObject({ code: "SYNC_REFUSED", status: 200 });
    host.failWith(301, { location: "https://elsewhere.example/" }, { body: "<html><title>Moved</title></html>" });
    const redirected = await failure({ origin: host.origin });
    expect(redirected).toMatchObject({ code: "SYNC_REFUSED", status: 301, hint: expect.stringContaining("Redirects") });
    expect(redirected.message).not.toContain("<");
  });
});

describe("a page server", () => {
  it("that is not there, or does not speak TLS, is unreachable", async () => {
    const proxy = await startTcpProxy(1);
    await proxy.refuse();
    const refused = await failure({ origin: proxy.origin });
    expect(refused).toMatchObject({ code: "SYNC_UNREACHABLE", retryable: true });
    expect(refused.message).toContain("ECONNREFUSED");
    const host = await startHttpHost((_request, response) => response.end());
    const noTls = await failure({ origin: host.origin.replace("http:", "https:") });
    expect(noTls).toMatchObject({ code: "SYNC_UNREACHABLE", retryable: true });
    const noName = await failure({ origin: "http://no-such-host.invalid" });
    expect(noName).toMatchObject({ code: "SYNC_UNREACHABLE", retryable: true });
  });

  it("that takes a connection and never answers is given up", async () => {
    const origin = await listen((socket) => socket.resume());
    const error = await failure({ origin, idleMs: 300 });
    expect(error).toMatchObject({ code: "SYNC_UNREACHABLE", retryable: true });
  });

  it("that is silent in the middle is given up, and one that is only slow is not", async () => {
    const { folder, server, push, pull } = await startFixture();
    await push(makeFile(join(folder, "a.db"), { rows: 500 }));
    const proxy = await startTcpProxy(server.port);
    let silenced = 0;
    const gone = pull(join(folder, "b.db"), {
      origin: proxy.origin,
      idleMs: 400,
      tell() {
        proxy.blackHole();
        silenced ||= performance.now();
      },
    });
    await expect(gone).rejects.toMatchObject({
      code: "SYNC_UNREACHABLE",
      message: expect.stringContaining("said nothing"),
    });
    expect(performance.now() - silenced).toBeLessThan(4_000);
    const slow = await startTcpProxy(server.port);
    slow.drip(20_000, 100);
    expect(await pull(join(folder, "c.db"), { origin: slow.origin, idleMs: 1_500 })).toMatchObject({ changed: true });
  });

  it("that answers pings and never goes on is given up after ten times as long", async () => {
    const since = performance.now();
    expect(await failure({ origin: await speak(() => {}), idleMs: 100 })).toMatchObject({
      code: "SYNC_UNREACHABLE",
      message: expect.stringContaining("has not gone on with the sync for 1 seconds"),
      retryable: true,
    });
    expect(performance.now() - since).toBeGreaterThan(1_000);
  });

  it("that floods us where we wait for a pong is cut off, with bounded memory", async () => {
    const reply = { protocol_version: 1, page_size: 4096, max_page: 0 };
    const origin = await speak(
      (socket) => {
        socket.on("ping", () => {
          for (let frame = 0; frame < 80; frame += 1) socket.send(Buffer.alloc(1024 * 1024));
        });
        socket.send(plainEncode({ kind: "hello_reply", data: reply }));
      },
      { autoPong: false },
    );
    const file = makeFile(join(tempDir(), "a.db"), { rows: 3 });
    await expect(syncHere("push", file, { origin, idleMs: 5_000 })).rejects.toMatchObject({
      code: "PAGE_PROTOCOL",
      message: expect.stringContaining("without end"),
    });
  });

  it("that sends what is no frame, or a text, broke the protocol", async () => {
    for (const message of [Buffer.from([2, 0x80]), "hello", Buffer.alloc(5 * 1024 * 1024)]) {
      const origin = await speak((socket) => socket.send(message));
      expect(await failure({ origin })).toMatchObject({ code: "PAGE_PROTOCOL" });
    }
  });

  it("that closes the connection has refused, or is gone, as it says", async () => {
    const refused = await failure({ origin: await speak((socket) => socket.close(1008, "not\u0007 today")) });
    expect(refused).toMatchObject({ code: "SYNC_REFUSED", message: expect.stringContaining("not today") });
    const away = await failure({ origin: await speak((socket) => socket.close(1001)) });
    expect(away).toMatchObject({ code: "SYNC_UNREACHABLE", retryable: true });
    const cut = await failure({ origin: await speak((socket) => socket.terminate()) });
    expect(cut).toMatchObject({ code: "SYNC_UNREACHABLE", retryable: true });
  });

  it("changes nothing at either end for a token of the other direction", async () => {
    const { folder, push, pull, server, stored } = await startFixture();
    const file = makeFile(join(folder, "a.db"));
    await push(file);
    const before = await stored();
    const fresh = join(folder, "fresh.db");
    const older = makeFile(join(folder, "older.db"), { rows: 7 });
    const pull1 = pull(fresh, { token: server.token("push") });
    await expect(pull1).rejects.toMatchObject({
      code: "INVALID_TOKEN",
      message: expect.stringContaining("for a push"),
    });
    const pull2 = pull(older, { token: server.token("push") });
    await expect(pull2).rejects.toMatchObject({ code: "INVALID_TOKEN" });
    const push1 = push(older, { token: server.token("pull"), force: true });
    await expect(push1).rejects.toMatchObject({
      code: "INVALID_TOKEN",
      message: expect.stringContaining("for a pull"),
    });
    expect(existsSync(fresh)).toBe(false);
    expect(rowsOf(older)).toHaveLength(7);
    expect((await stored()).equals(before)).toBe(true);
    expect(server.commits).toHaveLength(1);
  });

  it("that does not take our token says so, for a database that is gone too", async () => {
    const { server } = await startFixture();
    const origin = `http://127.0.0.1:${server.port}`;
    expect(await failure({ origin })).toMatchObject({ code: "INVALID_TOKEN" });
    const gone = server.token("pull", { databaseId: "d-3" });
    expect(await failure({ origin, token: gone })).toMatchObject({ code: "UNKNOWN_DATABASE" });
  });
});

/** A TCP server that does what it is told with each connection. */
async function listen(handle: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    handle(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  atEnd(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
}

/** A WebSocket server that does one thing with each client's first message. */
async function speak(
  act: (socket: import("ws").WebSocket) => void,
  options: { readonly autoPong?: boolean } = {},
): Promise<string> {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, ...options });
  server.on("connection", (socket) => {
    socket.on("error", () => {});
    socket.once("message", () => act(socket));
  });
  await once(server, "listening");
  atEnd(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
}
