import { once } from "node:events";
import { createServer as createHttp2Server, type Http2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { AdminService } from "../../../src/pages/admin/gen/edgereplica/admin/v1/admin_pb.js";
import { createPageServer } from "../../../src/pages/create-page-server.js";
import { PageServerFacade } from "../../../src/pages/page-server-facade.js";
import { parsePageServerSettings } from "../../../src/pages/page-server-settings.js";
import { atEnd } from "../../support/at-end.js";
import { tempDir } from "../../support/temp-dir.js";
import { CLIENT, OAuthStub } from "../admin/oauth-stub.js";
import { KEY, type PageHost, startPageHost } from "./page-host.js";

const PASSWORD = "correct horse battery";
const JSON_TYPE = { "content-type": "application/json" };

/** A sync that has begun and says nothing. */
async function openSync(host: PageHost, token: string): Promise<WebSocket> {
  const url = `${host.origin.replace("http:", "ws:")}/sync`;
  const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
  atEnd(() => socket.terminate());
  await once(socket, "open");
  return socket;
}

/** The frames that still come before the socket is closed. */
async function lastWords(socket: WebSocket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on("message", (data) => chunks.push(data as Buffer));
  await once(socket, "close");
  return Buffer.concat(chunks).toString("latin1");
}

describe("syncs under way", () => {
  it("end when their database is deleted, and those of others go on", async () => {
    const host = await startPageHost();
    const ann = await host.user("ann@example.com");
    const [gone, kept] = [
      await ann.admin.createDatabase({ name: "gone" }),
      await ann.admin.createDatabase({ name: "kept" }),
    ];
    const socket = await openSync(host, await ann.token(gone.id, "pull"));
    const other = await openSync(host, await ann.token(kept.id, "pull"));
    const said = lastWords(socket);
    await ann.admin.deleteDatabase({ databaseId: gone.id });
    expect(await said).toContain("error");
    expect(other.readyState).toBe(WebSocket.OPEN);
  });

  it("end when the server stops, which waits for that", async () => {
    const host = await startPageHost();
    const ann = await host.user("ann@example.com");
    const { id } = await ann.admin.createDatabase({ name: "shop" });
    const sockets = [
      await openSync(host, await ann.token(id, "pull")),
      await openSync(host, await ann.token(id, "push")),
    ];
    const said = Promise.all(sockets.map(lastWords));
    await host.server.stop();
    for (const words of await said) expect(words).toContain("error");
  });
});

describe("attempts at a page server", () => {
  it("are limited for each address, and the answer says when to come back", async () => {
    const host = await startPageHost({ clientAddress: (request) => request.headers.get("x-real-ip") ?? "" });
    const signup = (ip: string) =>
      fetch(`${host.origin}/edgereplica.admin.v1.AdminService/Signup`, {
        method: "POST",
        headers: { ...JSON_TYPE, "x-real-ip": ip },
        body: '{"email":"nobody","password":"x"}',
      });
    const statuses: number[] = [];
    let last = await signup("203.0.113.1");
    for (; last.status !== 429 && statuses.length < 50; last = await signup("203.0.113.1")) statuses.push(last.status);
    expect(statuses.length).toBeGreaterThanOrEqual(5);
    expect(statuses.length).toBeLessThan(50);
    expect(new Set(statuses)).toEqual(new Set([400]));
    expect(Number(last.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await signup("203.0.113.2")).status).toBe(400);
  });
});

describe("a page server behind HTTP/2", () => {
  it("speaks gRPC", async () => {
    const server = createPageServer({ dir: tempDir(), sessionKey: KEY });
    const http2 = createHttp2Server((request, response) => server.grpc(request, response));
    const sessions = new Set<Http2Session>();
    http2.on("session", (session) => sessions.add(session));
    http2.listen(0, "127.0.0.1");
    await once(http2, "listening");
    atEnd(async () => {
      const closed = once(http2, "close");
      http2.close();
      for (const session of sessions) session.destroy();
      await Promise.all([closed, server.stop()]);
    });
    const baseUrl = `http://127.0.0.1:${(http2.address() as AddressInfo).port}`;
    const client = createClient(AdminService, createGrpcTransport({ baseUrl }));
    const account = { email: "ann@example.com", password: PASSWORD };
    await expect(client.signup(account)).rejects.toSatisfy(
      (error) => ConnectError.from(error).code === Code.Unavailable,
    );
    await server.start();
    const { sessionToken, whoami } = await client.signup(account);
    const headers = { authorization: `Bearer ${sessionToken}` };
    expect((await client.whoami({}, { headers })).whoami).toEqual(whoami);
  });
});

describe("login with a provider at a page server", () => {
  it("goes from the command through the browser and back to a session", async () => {
    const stub = await OAuthStub.start();
    stub.googleClaims = { sub: "1", email: "gwen@example.com" };
    const settings = parsePageServerSettings({
      dir: tempDir(),
      sessionKey: KEY,
      oauthRedirectBase: "https://sync.example.com",
      google: CLIENT,
    });
    const server = new PageServerFacade(settings, { oauthEndpoints: stub.endpoints });
    atEnd(() => server.stop());
    await server.start();
    const call = async (rpc: string, body: object): Promise<Record<string, string>> => {
      const path = `/edgereplica.admin.v1.AdminService/${rpc}`;
      const answer = await server.app.request(path, { method: "POST", headers: JSON_TYPE, body: JSON.stringify(body) });
      return (await answer.json()) as Record<string, string>;
    };

    const { redirectUrl = "" } = await call("StartOAuth", { provider: "google" });
    const sentBack = await fetch(redirectUrl, { redirect: "manual" });
    const back = new URL(sentBack.headers.get("location") ?? "");
    expect(back.origin).toBe("https://sync.example.com");
    const page = await (await server.app.request(`${back.pathname}${back.search}`)).text();
    const [, state = "", code = ""] =
      /starfish-replica oauth complete --state[ =](\S+) --code[ =]([^\s<]+)/.exec(page) ?? [];
    expect(await call("CompleteOAuth", { state, code })).toMatchObject({
      sessionToken: expect.any(String),
      whoami: { email: "gwen@example.com", role: "admin" },
    });
  });

  it("is not there without the address to come back to", async () => {
    const server = createPageServer({ dir: tempDir(), sessionKey: KEY, github: CLIENT });
    const answer = await server.app.request("/edgereplica.admin.v1.AdminService/StartOAuth", {
      method: "POST",
      headers: JSON_TYPE,
      body: '{"provider":"github"}',
    });
    expect([answer.status, await answer.json()]).toMatchObject([501, { code: "unimplemented" }]);
    expect((await server.app.request("/oauth/callback?state=a&code=b")).status).toBe(404);
  });
});
