import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, it } from "vitest";
import { type AdminHost, signUp, startAdminHost } from "./admin-host.js";
import { parseJsonObject } from "./parse-json-object.js";

const SERVICE = "/edgereplica.admin.v1.AdminService";
const JSON_TYPE = { "content-type": "application/json" };
const GRPC_WEB = { "content-type": "application/grpc-web+proto" };

let host: AdminHost;
let session: string;
beforeAll(async () => {
  host = await startAdminHost();
  ({ session } = await signUp(host, "raw@example.com"));
});

async function post(
  rpc: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = JSON_TYPE,
): Promise<Response> {
  return await fetch(`${host.http.origin}${SERVICE}/${rpc}`, {
    method: "POST",
    body,
    headers: { authorization: `Bearer ${session}`, ...headers },
  });
}

describe("the admin service for whoever writes the requests by hand", () => {
  it("takes JSON with the names of the fields in both spellings, and 64-bit integers as text", async () => {
    const created = await parseJsonObject(await post("CreateDatabase", '{"name":"raw"}'));
    expect(created).toEqual({
      id: expect.any(String),
      orgId: expect.any(String),
      name: "raw",
      createdAtUnix: expect.stringMatching(/^\d+$/),
    });
    for (const body of [
      { databaseId: created.id, direction: "DIRECTION_PUSH", ttlSeconds: "60" },
      { database_id: created.id, direction: 1, ttl_seconds: 60 },
    ]) {
      const issued = await parseJsonObject(await post("IssueSyncToken", JSON.stringify(body)));
      expect(issued).toEqual({ token: expect.any(String), expUnix: expect.stringMatching(/^\d+$/) });
    }
  });

  it("answers GET for what has no side effects, and for nothing else", async () => {
    const get = (rpc: string) =>
      fetch(`${host.http.origin}${SERVICE}/${rpc}?encoding=json&message=%7B%7D&connect=v1`, {
        headers: { authorization: `Bearer ${session}` },
      });
    expect(await parseJsonObject(await get("Whoami"))).toMatchObject({ whoami: { email: "raw@example.com" } });
    expect((await get("ListDatabases")).status).toBe(200);
    for (const rpc of [
      "Signup",
      "Login",
      "StartOAuth",
      "CompleteOAuth",
      "CreateDatabase",
      "DeleteDatabase",
      "IssueSyncToken",
    ]) {
      expect([rpc, (await get(rpc)).status]).toEqual([rpc, 405]);
    }
  });

  it("keeps answers out of caches", async () => {
    expect((await post("Whoami", "{}")).headers.get("cache-control")).toBe("no-store");
    expect((await post("CreateDatabase", "{}")).headers.get("cache-control")).toBe("no-store");
  });

  it("answers errors as Connect writes them, with the code of the catalogue", async () => {
    const answer = await post("DeleteDatabase", '{"databaseId":"nothing"}');
    expect(answer.status).toBe(404);
    expect(await parseJsonObject(answer)).toMatchObject({
      code: "not_found",
      message: expect.stringMatching(/no database with this id.*db list/),
      details: [{ type: "google.rpc.ErrorInfo", debug: { reason: "UNKNOWN_DATABASE", domain: "starfish-replica" } }],
    });
  });

  it("takes the session whatever the case of its scheme, and nothing but a bearer token", async () => {
    const whoami = async (authorization: string) =>
      (await post("Whoami", "{}", { ...JSON_TYPE, authorization })).status;
    expect(await whoami(`bearer ${session}`)).toBe(200);
    for (const odd of [`Basic ${session}`, session, "Bearer", `Bearer ${session} more`, `Bearer ${session}x`, ""]) {
      expect(await whoami(odd)).toBe(401);
    }
  });

  it.each([
    ["no JSON", "{", JSON_TYPE, 400],
    ["JSON of another form", '{"email":1}', JSON_TYPE, 400],
    ["an unknown enum", '{"direction":"SIDEWAYS"}', JSON_TYPE, 400],
    ["another type of content", "{}", { "content-type": "text/plain" }, 415],
    ["gRPC, which fetch cannot answer", "{}", { "content-type": "application/grpc" }, 415],
    ["an unknown compression", "{}", { ...JSON_TYPE, "content-encoding": "br" }, 501],
  ])("refuses %s", async (_what, body, headers, status) => {
    const rpc = body.includes("email") ? "Login" : "IssueSyncToken";
    expect((await post(rpc, body, headers)).status).toBe(status);
    expect(host.errors).toEqual([]);
  });

  it("refuses messages of more than 64 KiB, compressed ones too, without reading all of them", async () => {
    const body = JSON.stringify({ name: "x".repeat(65_536) });
    expect((await post("CreateDatabase", body)).status).toBe(429);
    const bomb = gzipSync(JSON.stringify({ name: "x".repeat(50_000_000) }));
    expect(bomb.length).toBeLessThan(65_536);
    const inflated = await post("CreateDatabase", new Uint8Array(bomb), { ...JSON_TYPE, "content-encoding": "gzip" });
    expect(inflated.status).toBe(429);
    expect(await parseJsonObject(inflated)).toMatchObject({ code: "resource_exhausted" });
    const small = gzipSync('{"name":"zipped"}');
    expect(
      (await post("CreateDatabase", new Uint8Array(small), { ...JSON_TYPE, "content-encoding": "gzip" })).status,
    ).toBe(200);
  });

  it("refuses a body without a length that does not end", async () => {
    const answered = new Promise<number>((resolve, reject) => {
      const call = httpRequest(
        `${host.http.origin}${SERVICE}/CreateDatabase`,
        { method: "POST", headers: { ...JSON_TYPE, authorization: `Bearer ${session}` } },
        (response) => {
          response.resume();
          call.destroy();
          resolve(response.statusCode ?? 0);
        },
      );
      call.on("error", reject);
      for (let sent = 0; sent < 40; sent++) call.write("x".repeat(2_000));
    });
    expect(await answered).toBe(429);
  });

  it.each([
    ["connect-timeout-ms", "2147483648", JSON_TYPE, "{}"],
    ["connect-timeout-ms", "2147483647", JSON_TYPE, "{}"],
    ["grpc-timeout", "99999999H", GRPC_WEB, new Uint8Array(5)],
    ["grpc-timeout", "99999999m", GRPC_WEB, new Uint8Array(5)],
  ])("takes a deadline that no timer can hold for none, without a warning: %s %s", async (name, value, type, body) => {
    const warnings: Error[] = [];
    const warned = (warning: Error) => warnings.push(warning);
    process.on("warning", warned);
    const answer = await post("Whoami", body, { ...type, [name]: value });
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining("raw@example.com")]);
    // Warnings are told in the next tick.
    await new Promise(setImmediate);
    process.off("warning", warned);
    expect(warnings).toEqual([]);
  });

  it("knows no other calls", async () => {
    expect((await post("Nothing", "{}")).status).toBe(404);
    expect((await post("constructor", "{}")).status).toBe(404);
    expect((await fetch(`${host.http.origin}/`)).status).toBe(404);
    expect((await fetch(`${host.http.origin}/oauth/callback?code=1&state=2`)).status).toBe(404);
  });
});

describe("the handler for Node's own requests", () => {
  it("answers 400 to a request without host or with a path that is none, and goes on", async () => {
    expect(await rawStatus(host.node.port, "POST //[ HTTP/1.1\r\nHost: [\r\n")).toBe(400);
    expect(await rawStatus(host.node.port, `TRACE ${SERVICE}/Whoami HTTP/1.1\r\nHost: a\r\n`)).toBe(400);
    expect(await rawStatus(host.node.port, `POST ${SERVICE}/Nothing HTTP/1.1\r\nHost: a\r\n`)).toBe(404);
    expect(await rawStatus(host.node.port, `POST ${SERVICE}/Whoami HTTP/1.0\r\n`)).toBe(400);
    expect(host.errors).toEqual([]);
  });
});

/** The status of the answer to a request of which this is the head. */
async function rawStatus(port: number, head: string): Promise<number> {
  const socket = connect(port, "127.0.0.1");
  socket.write(`${head}Content-Length: 0\r\nConnection: close\r\n\r\n`);
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]);
}
