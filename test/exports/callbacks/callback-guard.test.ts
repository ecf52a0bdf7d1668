import { randomBytes } from "node:crypto";
import { Client } from "undici";
import { describe, expect, it } from "vitest";
import type { CallbackOutcome, PendingCallback } from "../../../src/exports/callbacks/callback.js";
import { callbackHostMistake } from "../../../src/exports/callbacks/callback-host.js";
import { type CallbackSenderOptions, createCallbackSender } from "../../../src/exports/callbacks/callback-sender.js";
import { createGuardedConnector } from "../../../src/exports/callbacks/guarded-connector.js";
import { atEnd } from "../../support/at-end.js";
import { waitFor } from "../../support/wait.js";
import { createCertificate } from "./certificate.js";
import { startRawServer } from "./raw-server.js";
import { forkedLookup, scriptedLookup } from "./scripted-lookup.js";

const PUBLIC = "93.184.216.34";
const REFUSED = "leads to an address that callbacks may not go to";
const certificate = createCertificate(["hooks.example.com"]);

async function send(url: string, options: Partial<CallbackSenderOptions> = {}): Promise<CallbackOutcome> {
  const secrets = [`whsec_${randomBytes(32).toString("base64")}`];
  const sender = createCallbackSender({ secrets, allowPrivate: false, deadlineMs: 5_000, ...options });
  atEnd(() => sender.close());
  const callback: PendingCallback = { jobId: "j", messageId: "m", url, body: "{}", attempts: 0, since: Date.now() };
  return await sender.send(callback, new AbortController().signal);
}

describe("where callbacks may go", () => {
  it.each(["127.0.0.1", "127.1", "0x7f000001", "[::ffff:127.0.0.1]", "0.0.0.0", "localhost", "x.localhost"])(
    "is not %s by default: nothing connects",
    async (host) => {
      const server = await startRawServer({ certificate });
      const outcome = await send(`https://${host}:${server.port}/`);
      expect(outcome).toMatchObject({ kind: "failed", final: true, reason: expect.stringMatching(/must not lead to/) });
      expect(server.connections()).toBe(0);
    },
  );

  it("is not a name of a private address: nothing connects, and the reason does not give the address away", async () => {
    const server = await startRawServer({ certificate });
    for (const addresses of [
      ["127.0.0.1"],
      ["::ffff:127.0.0.1"],
      ["127.0.0.1", "10.0.0.1", "::1"],
      ["169.254.169.254"],
    ]) {
      const { lookup, asked } = scriptedLookup(addresses);
      const origin = `https://hooks.example.com:${server.port}`;
      expect(await send(`${origin}/x`, { lookup })).toEqual({
        kind: "failed",
        final: false,
        reason: `${origin} ${REFUSED}`,
      });
      expect(asked).toEqual(["hooks.example.com"]);
    }
    expect(server.connections()).toBe(0);
  });

  it("is not a name that was public when it was checked and is private now (DNS rebinding)", async () => {
    const server = await startRawServer({ certificate });
    const { lookup, asked } = scriptedLookup([PUBLIC], ["127.0.0.1"]);
    const url = `https://hooks.example.com:${server.port}/`;
    expect(await callbackHostMistake(url, { allowPrivate: false, lookup })).toBeNull();
    expect(await send(url, { lookup })).toMatchObject({ kind: "failed", reason: expect.stringContaining(REFUSED) });
    expect([asked.length, server.connections()]).toEqual([2, 0]);
  });

  it("is this machine where that is allowed, by address and by the name that the system knows", async () => {
    const server = await startRawServer();
    for (const host of ["127.0.0.1", "0x7f.1", "[::ffff:127.0.0.1]", "localhost"]) {
      const outcome = await send(`http://${host}:${server.port}/`, { allowPrivate: true });
      expect([host, outcome]).toEqual([host, { kind: "delivered", status: 204 }]);
    }
    expect(server.connections()).toBe(4);
  });

  it("is looked up anew for every try", async () => {
    const server = await startRawServer();
    const { lookup } = scriptedLookup(["127.0.0.1"], ["169.254.169.254"], ["127.0.0.1"]);
    const url = `http://hooks.example.com:${server.port}/`;
    const kinds: string[] = [];
    for (let count = 0; count < 3; count += 1) kinds.push((await send(url, { lookup, allowPrivate: true })).kind);
    expect([kinds, server.connections()]).toEqual([["delivered", "failed", "delivered"], 2]);
  });

  it("is of a name's addresses only those that are allowed", async () => {
    const server = await startRawServer();
    // Both lead to this machine, and the second is nobody's address.
    for (const addresses of [
      ["0.0.0.0", "127.0.0.1"],
      ["127.0.0.1", "0.0.0.0"],
    ]) {
      const { lookup } = scriptedLookup(addresses);
      const url = `http://hooks.example.com:${server.port}/`;
      expect(await send(url, { lookup, allowPrivate: true })).toEqual({ kind: "delivered", status: 204 });
    }
    const { lookup } = scriptedLookup(["0.0.0.0"]);
    expect((await send(`http://hooks.example.com:${server.port}/`, { lookup, allowPrivate: true })).kind).toBe(
      "failed",
    );
    expect(server.connections()).toBe(2);
  });

  it.each(["https", "http"])(
    "is judged by the socket's own address too, before a byte is sent (%s)",
    async (scheme) => {
      const server = await startRawServer(scheme === "https" ? { certificate } : {});
      const lookup = forkedLookup(PUBLIC, "127.0.0.1");
      const connector = createGuardedConnector({ allowPrivate: false, lookup });
      const client = new Client(`${scheme}://hooks.example.com:${server.port}`, { connect: connector.connect });
      await expect(client.request({ method: "POST", path: "/", body: "secret" })).rejects.toMatchObject({
        code: "CALLBACK_REFUSED",
      });
      connector.destroy();
      await client.destroy();
      await waitFor(() => server.connections() === 1 && server.open() === 0);
      expect(server.bytes()).toBe(0);
    },
  );

  it("is not an address that a connection is asked for directly", async () => {
    const server = await startRawServer();
    for (const [host, allowPrivate] of [
      ["0.0.0.0", true],
      ["127.0.0.1", false],
      ["[::ffff:127.0.0.1]", false],
    ] as const) {
      const connector = createGuardedConnector({ allowPrivate });
      const client = new Client(`http://${host}:${server.port}`, { connect: connector.connect });
      await expect(client.request({ method: "POST", path: "/" })).rejects.toMatchObject({ code: "CALLBACK_REFUSED" });
      await client.destroy();
    }
    expect(server.connections()).toBe(0);
  });

  it("is a name that is not found today, tomorrow", async () => {
    const { lookup } = scriptedLookup([]);
    expect(await send("https://hooks.example.com/", { lookup })).toEqual({
      kind: "failed",
      final: false,
      reason: "https://hooks.example.com could not be called (ENOTFOUND)",
    });
  });

  it("does not wait for a name longer than the deadline", async () => {
    const outcome = await send("https://hooks.example.com/", { lookup: () => {}, deadlineMs: 200 });
    expect(outcome).toMatchObject({ reason: "https://hooks.example.com gave no answer within 0.2 s" });
  });
});

describe("the certificate of a receiver", () => {
  const { lookup } = scriptedLookup(["127.0.0.1"]);
  const trusting = { lookup, allowPrivate: true, ca: certificate.cert };

  it("is taken where it is trusted and of that name, whatever dot the name ends with", async () => {
    const { port } = await startRawServer({ certificate });
    expect((await send(`https://hooks.example.com:${port}/`, trusting)).kind).toBe("delivered");
    expect((await send(`https://hooks.example.com.:${port}/`, trusting)).kind).toBe("delivered");
  });

  it("is refused where it signed itself, whatever NODE_TLS_REJECT_UNAUTHORIZED says, and no request is sent", async () => {
    const { port, open } = await startRawServer({ certificate });
    const url = `https://hooks.example.com:${port}/`;
    const expected = {
      kind: "failed",
      final: false,
      reason: `https://hooks.example.com:${port} could not be called (DEPTH_ZERO_SELF_SIGNED_CERT)`,
    };
    expect(await send(url, { lookup, allowPrivate: true })).toEqual(expected);
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
    try {
      expect(await send(url, { lookup, allowPrivate: true })).toEqual(expected);
    } finally {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    }
    await waitFor(() => open() === 0);
  });

  it("is refused where it is another name's, or where the URL has an address", async () => {
    const { port } = await startRawServer({ certificate });
    for (const host of ["other.example.com", "127.0.0.1", "example.com"]) {
      expect(await send(`https://${host}:${port}/`, trusting)).toMatchObject({
        kind: "failed",
        final: false,
        reason: `https://${host}:${port} could not be called (ERR_TLS_CERT_ALTNAME_INVALID)`,
      });
    }
  });

  it("is waited for until the deadline, and the connection dropped", async () => {
    const { port, open, connections } = await startRawServer({ answer: "" });
    const outcome = await send(`https://hooks.example.com:${port}/`, { ...trusting, deadlineMs: 300 });
    expect(outcome).toMatchObject({ reason: expect.stringMatching(/gave no answer within 0.3 s/) });
    await waitFor(() => connections() === 1 && open() === 0);
  });
});

describe("callbackHostMistake", () => {
  const mistake = (addresses: readonly string[], allowPrivate = false) =>
    callbackHostMistake("https://hooks.example.com/?q", { allowPrivate, lookup: scriptedLookup(addresses).lookup });

  it("is told where every address of the name is private, or a metadata service", async () => {
    expect(await mistake(["10.0.0.1", "::1"])).toMatch(
      /^must not lead to "hooks.example.com", whose address is private \(callbacks.allowPrivate allows it\)$/,
    );
    expect(await mistake(["169.254.169.254"])).toMatch(
      /^must not lead to "hooks.example.com", .* no callback goes to$/,
    );
    expect(await mistake(["169.254.169.254"], true)).toMatch(/no callback goes to$/);
  });

  it("is none where one is allowed, where the name is not found, or does not come in time", async () => {
    expect(await mistake([PUBLIC, "10.0.0.1"])).toBeNull();
    expect(await mistake(["10.0.0.1"], true)).toBeNull();
    expect(await mistake([])).toBeNull();
    const silent = { allowPrivate: false, lookup: () => {}, deadlineMs: 50 };
    expect(await callbackHostMistake("https://hooks.example.com/", silent)).toBeNull();
    expect(await callbackHostMistake("https://8.8.8.8/", silent)).toBeNull();
  });
});
