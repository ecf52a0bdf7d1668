import { randomBytes } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import type { CallbackOutcome, PendingCallback } from "../../../src/exports/callbacks/callback.js";
import {
  type CallbackSender,
  type CallbackSenderOptions,
  createCallbackSender,
} from "../../../src/exports/callbacks/callback-sender.js";
import { atEnd } from "../../support/at-end.js";
import { hostile } from "../../support/hostile.js";
import { type HostileServer, startHostileServer } from "../../support/hostile-server.js";
import { waitFor } from "../../support/wait.js";
import { startRawServer } from "./raw-server.js";

const SECRET = `whsec_${randomBytes(32).toString("base64")}`;
const BODY = '{"type":"export.completed","data":{"name":"Zoë 𝕊 \\u0000"}}';
const never = new AbortController().signal;

function senderOf(options: Partial<CallbackSenderOptions> = {}): CallbackSender {
  const sender = createCallbackSender({ secrets: [SECRET], allowPrivate: true, ...options });
  atEnd(() => sender.close());
  return sender;
}

function callbackTo(url: string): PendingCallback {
  return { jobId: "job", messageId: "msg_1", url, body: BODY, attempts: 0, since: Date.now() };
}

async function tryOnce(
  behaviour: Parameters<HostileServer["on"]>[1],
  options: Partial<CallbackSenderOptions> = {},
): Promise<{ outcome: CallbackOutcome; receiver: HostileServer; tookMs: number }> {
  const receiver = await startHostileServer();
  receiver.on("*", behaviour);
  const since = performance.now();
  const outcome = await senderOf(options).send(callbackTo(`${receiver.origin}/hook?token=query-secret`), never);
  return { outcome, receiver, tookMs: performance.now() - since };
}

describe("createCallbackSender", () => {
  it("posts the body to the byte, with the URL's query, signed so that the reference library verifies it", async () => {
    const { outcome, receiver } = await tryOnce(hostile.status(204));
    expect(outcome).toEqual({ kind: "delivered", status: 204 });
    const [request] = receiver.received;
    expect(request).toMatchObject({ method: "POST", path: "/hook", search: "?token=query-secret", body: BODY });
    expect(request?.headers).toMatchObject({
      "content-type": "application/json",
      "user-agent": "starfish-replica",
      "webhook-id": "msg_1",
      connection: "close",
      "content-length": String(Buffer.byteLength(BODY)),
    });
    const headers = request?.headers as Record<string, string>;
    expect(new Webhook(SECRET).verify(request?.body ?? "", headers)).toEqual(JSON.parse(BODY));
  });

  it("signs with the old and the new secret while one takes the other's place", async () => {
    const older = `whsec_${randomBytes(24).toString("base64")}`;
    const { receiver } = await tryOnce(hostile.status(200), { secrets: [SECRET, older] });
    const headers = receiver.received[0]?.headers as Record<string, string>;
    for (const secret of [SECRET, older]) new Webhook(secret).verify(BODY, headers);
    expect(() => new Webhook(`whsec_${randomBytes(24).toString("base64")}`).verify(BODY, headers)).toThrow();
  });

  it("signs each try with the time at which it is made", async () => {
    const { receiver } = await tryOnce(hostile.status(200), { now: () => 1_700_000_000_999 });
    expect(receiver.received[0]?.headers["webhook-timestamp"]).toBe("1700000000");
  });

  it.each([200, 201, 202, 299])("takes %i for delivered", async (status) => {
    expect((await tryOnce(hostile.status(status))).outcome).toEqual({ kind: "delivered", status });
  });

  it("lets a receiver that is gone for good (410) have no more", async () => {
    const { outcome, receiver } = await tryOnce(hostile.status(410));
    expect(outcome).toMatchObject({ kind: "failed", final: true });
    expect(outcome).toHaveProperty("reason", `${receiver.origin} answered 410: it wants no callbacks any more`);
  });

  it.each([400, 401, 403, 404, 405, 408, 409, 422, 429, 500, 502, 503, 504])(
    "will try again after %i",
    async (status) => {
      const { outcome, receiver } = await tryOnce(hostile.status(status));
      expect(outcome).toEqual({ kind: "failed", final: false, reason: `${receiver.origin} answered ${status}` });
    },
  );

  it.each([300, 301, 302, 303, 304, 307, 308])(
    "follows no redirect (%i), neither elsewhere nor to itself",
    async (status) => {
      const target = await startHostileServer();
      target.on("*", hostile.status(200));
      const { outcome, receiver } = await tryOnce(hostile.redirect(`${target.origin}/internal`, status));
      expect(outcome).toEqual({
        kind: "failed",
        final: false,
        reason: `${receiver.origin} answered ${status}, a redirect: callbacks follow none`,
      });
      const loop = await tryOnce(hostile.redirectLoop(status));
      expect([target.connections.total, receiver.received.length, loop.receiver.received.length]).toEqual([0, 1, 1]);
    },
  );

  it("passes on the wish of a busy receiver, an hour at most", async () => {
    expect((await tryOnce(hostile.tooManyRequests(7))).outcome).toMatchObject({ retryAfterMs: 7_000 });
    const later = await tryOnce(hostile.tooManyRequests(new Date(Date.now() + 60_000)));
    expect(later.outcome).toMatchObject({ retryAfterMs: expect.closeTo(60_000, -4) });
    expect((await tryOnce(hostile.tooManyRequests(86_400))).outcome).toMatchObject({ retryAfterMs: 3_600_000 });
    expect((await tryOnce(hostile.tooManyRequests("soon"))).outcome).not.toHaveProperty("retryAfterMs");
  });

  it("ends a try that gets no answer at its deadline, and drops the connection", async () => {
    const { outcome, receiver } = await tryOnce(hostile.silence(), { deadlineMs: 300 });
    expect(outcome).toEqual({ kind: "failed", final: false, reason: `${receiver.origin} gave no answer within 0.3 s` });
    await waitFor(() => receiver.connections.open === 0);
  });

  it("ends a try whose answer's head never ends at its deadline", async () => {
    const raw = await startRawServer({ answer: "HTTP/1.1 200 OK\r\nx-head: " });
    const outcome = await senderOf({ deadlineMs: 300 }).send(callbackTo(`http://127.0.0.1:${raw.port}/`), never);
    expect(outcome).toMatchObject({
      kind: "failed",
      reason: `http://127.0.0.1:${raw.port} gave no answer within 0.3 s`,
    });
    await waitFor(() => raw.connections() === 1 && raw.open() === 0);
  });

  it.each([
    ["a head too large", `HTTP/1.1 200 OK\r\nx-head: ${"x".repeat(100_000)}\r\n\r\n`, /UND_ERR_HEADERS_OVERFLOW/],
    ["what is no HTTP", "SSH-2.0-OpenSSH_9.9\r\n", /HTTPParserError|HPE_/],
    ["another protocol", "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", /UND_ERR/],
  ])("fails on %s", async (_what, answer, reason) => {
    const raw = await startRawServer({ answer });
    const outcome = await senderOf().send(callbackTo(`http://127.0.0.1:${raw.port}/`), never);
    expect(outcome).toMatchObject({ kind: "failed", final: false, reason: expect.stringMatching(reason) });
    await waitFor(() => raw.open() === 0);
  });

  it("heeds the status where the body after it never ends, and drops the connection after a few KiB", async () => {
    const { outcome, receiver, tookMs } = await tryOnce(hostile.oversize("chunked"));
    expect(outcome).toEqual({ kind: "delivered", status: 200 });
    expect(tookMs).toBeLessThan(1_500);
    await waitFor(() => receiver.received[0]?.state === "aborted");
    // Buffers of the two systems; the server was ready to send 512 MiB.
    expect(receiver.received[0]?.bytesSent).toBeLessThan(32 * 1024 * 1024);
  });

  it("heeds the status where the body after it never comes, after 2 s", async () => {
    const { outcome, receiver, tookMs } = await tryOnce(hostile.headThenSilence());
    expect(outcome).toEqual({ kind: "delivered", status: 200 });
    expect(tookMs).toBeLessThan(5_000);
    await waitFor(() => receiver.connections.open === 0);
  });

  it("lets a receiver finish its short answer", async () => {
    const { receiver } = await tryOnce((_request, response) => {
      response.writeHead(200, { "content-type": "text/plain" });
      response.write("wait");
      setTimeout(() => response.end("done"), 200);
    });
    expect(receiver.received[0]?.state).toBe("finished");
  });

  it("fails where the receiver hangs up, or is not there, and says how without the query", async () => {
    for (const how of ["reset", "end"] as const) {
      const { outcome, receiver } = await tryOnce(hostile.hangUp(how));
      const reason = `^${receiver.origin} could not be called \\((UND_ERR_SOCKET|ECONNRESET)\\)$`;
      expect(outcome).toEqual({ kind: "failed", final: false, reason: expect.stringMatching(reason) });
    }
    const gone = await startHostileServer();
    await gone.stop();
    expect(await senderOf().send(callbackTo(`${gone.origin}/hook?token=query-secret`), never)).toEqual({
      kind: "failed",
      final: false,
      reason: `${gone.origin} could not be called (ECONNREFUSED)`,
    });
  });

  it("uses a connection once", async () => {
    const receiver = await startHostileServer();
    receiver.on("*", hostile.status(200));
    const sender = senderOf();
    for (let count = 0; count < 3; count += 1) await sender.send(callbackTo(receiver.origin), never);
    expect(receiver.connections.total).toBe(3);
    await waitFor(() => receiver.connections.open === 0);
  });

  it("knows no proxy of the environment", async () => {
    const proxy = await startHostileServer();
    const names = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "NODE_USE_ENV_PROXY"];
    const before = names.map((name) => process.env[name]);
    for (const name of names) process.env[name] = name.endsWith("ENV_PROXY") ? "1" : proxy.origin;
    try {
      expect((await tryOnce(hostile.status(200))).outcome.kind).toBe("delivered");
    } finally {
      names.forEach((name, index) => {
        const value = before[index];
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      });
    }
    expect(proxy.connections.total).toBe(0);
  });

  it("rejects with the caller's reason when it is cut short, and drops the connection", async () => {
    const receiver = await startHostileServer();
    receiver.on("*", hostile.silence());
    const cut = new AbortController();
    const sent = senderOf().send(callbackTo(receiver.origin), cut.signal);
    await waitFor(() => receiver.received.length === 1);
    const reason = new Error("enough");
    cut.abort(reason);
    await expect(sent).rejects.toBe(reason);
    await waitFor(() => receiver.connections.open === 0);
    await expect(senderOf().send(callbackTo(receiver.origin), cut.signal)).rejects.toBe(reason);
    expect(receiver.connections.total).toBe(1);
  });

  it("cuts short what is under way when it is closed, and sends nothing afterwards", async () => {
    const receiver = await startHostileServer();
    receiver.on("*", hostile.silence());
    const sender = senderOf();
    const ends = [1, 2].map(() => sender.send(callbackTo(receiver.origin), never).catch((error: unknown) => error));
    await waitFor(() => receiver.received.length === 2);
    await sender.close();
    await waitFor(() => receiver.connections.open === 0);
    for (const end of ends) expect(await end).toMatchObject({ code: "STOPPED" });
    await expect(sender.send(callbackTo(receiver.origin), never)).rejects.toMatchObject({ code: "STOPPED" });
    expect(receiver.connections.total).toBe(2);
  });
});
