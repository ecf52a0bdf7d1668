import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { beforeAll, describe, expect, it } from "vitest";
import { Direction } from "../../../src/pages/admin/gen/edgereplica/admin/v1/admin_pb.js";
import { type AdminHost, sessionClient, startAdminHost } from "./admin-host.js";

const PASSWORD = "correct horse battery";

let host: AdminHost;
let count = 0;
beforeAll(async () => {
  host = await startAdminHost();
});

const newEmail = (): string => `ann${++count}@example.com`;
const nowSeconds = (): number => Math.floor(Date.now() / 1_000);

/** The code and the sentence of the error that a call ends with. */
async function failure(call: Promise<unknown>): Promise<{ code: string | undefined; message: string }> {
  const error = await call.then(
    () => expect.fail("the call succeeded"),
    (thrown: unknown) => ConnectError.from(thrown),
  );
  return { code: Code[error.code], message: error.rawMessage };
}

type Protocol = readonly [name: string, transport: (host: AdminHost) => Transport];
const PROTOCOLS: readonly Protocol[] = [
  ["Connect with JSON", ({ http }) => createConnectTransport({ baseUrl: http.origin, httpVersion: "1.1" })],
  [
    "Connect with binary messages and GET",
    ({ http }) =>
      createConnectTransport({ baseUrl: http.origin, httpVersion: "1.1", useBinaryFormat: true, useHttpGet: true }),
  ],
  ["gRPC-Web", ({ http }) => createGrpcWebTransport({ baseUrl: http.origin, httpVersion: "1.1" })],
  [
    "gRPC-Web with JSON",
    ({ http }) => createGrpcWebTransport({ baseUrl: http.origin, httpVersion: "1.1", useBinaryFormat: false }),
  ],
  ["gRPC over HTTP/2", ({ http2Origin }) => createGrpcTransport({ baseUrl: http2Origin })],
  ["Connect over HTTP/2", ({ http2Origin }) => createConnectTransport({ baseUrl: http2Origin, httpVersion: "2" })],
];

describe.each(PROTOCOLS)("the admin service over %s", (_name, transportOf) => {
  it("goes from sign-up to a sync token and a deleted database", async () => {
    const transport = transportOf(host);
    const email = newEmail();
    const signedUp = await sessionClient(transport).signup({ email, password: PASSWORD });
    expect(signedUp.whoami).toMatchObject({ email, role: "admin" });
    const loggedIn = await sessionClient(transport).login({ email, password: PASSWORD });
    expect(loggedIn.whoami).toEqual(signedUp.whoami);

    const client = sessionClient(transport, loggedIn.sessionToken);
    expect((await client.whoami({})).whoami).toEqual(signedUp.whoami);
    expect((await client.listDatabases({})).databases).toEqual([]);
    const database = await client.createDatabase({ name: "shop" });
    expect(database).toMatchObject({ name: "shop", orgId: signedUp.whoami?.orgId });
    expect(Math.abs(Number(database.createdAtUnix) - nowSeconds())).toBeLessThan(10);
    expect((await client.listDatabases({})).databases).toEqual([database]);

    const { token, expUnix } = await client.issueSyncToken({
      databaseId: database.id,
      direction: Direction.PULL,
      ttlSeconds: 60n,
    });
    expect(Math.abs(Number(expUnix) - nowSeconds() - 60)).toBeLessThan(10);
    expect(host.tokens.verify(token, "sync")).toEqual({
      purpose: "sync",
      userId: signedUp.whoami?.userId,
      orgId: database.orgId,
      databaseId: database.id,
      direction: "pull",
    });

    await client.deleteDatabase({ databaseId: database.id });
    expect((await client.listDatabases({})).databases).toEqual([]);
    expect(host.removed).toContain(database.id);
  });

  it("says with the pinned codes what is wrong", async () => {
    const transport = transportOf(host);
    const email = newEmail();
    const anybody = sessionClient(transport);
    const { sessionToken } = await anybody.signup({ email, password: PASSWORD });
    const client = sessionClient(transport, sessionToken);
    const { id } = await client.createDatabase({ name: "shop" });

    expect(await failure(anybody.signup({ email: "nobody", password: PASSWORD }))).toMatchObject({
      code: "InvalidArgument",
    });
    expect(await failure(anybody.signup({ email: newEmail(), password: "short" }))).toMatchObject({
      code: "InvalidArgument",
    });
    expect(await failure(anybody.signup({ email, password: PASSWORD }))).toMatchObject({ code: "AlreadyExists" });
    const wrong = await failure(anybody.login({ email, password: "wrong password" }));
    expect(wrong.code).toBe("Unauthenticated");
    expect(await failure(anybody.login({ email: newEmail(), password: PASSWORD }))).toEqual(wrong);
    expect(await failure(client.createDatabase({ name: "shop" }))).toMatchObject({ code: "AlreadyExists" });
    expect(await failure(client.createDatabase({ name: "" }))).toMatchObject({ code: "InvalidArgument" });
    expect(await failure(anybody.whoami({}))).toMatchObject({ code: "Unauthenticated" });
    expect(await failure(sessionClient(transport, "no-token").whoami({}))).toMatchObject({ code: "Unauthenticated" });
    expect(await failure(anybody.startOAuth({ provider: "github" }))).toMatchObject({ code: "Unimplemented" });
    expect(await failure(anybody.completeOAuth({ state: "s", code: "c" }))).toMatchObject({ code: "Unimplemented" });
    expect(await failure(client.issueSyncToken({ databaseId: id }))).toMatchObject({
      code: "InvalidArgument",
      message: expect.stringContaining("direction"),
    });
  });
});

describe("databases of others", () => {
  it("are not found by any call", async () => {
    const ann = await host.client().signup({ email: newEmail(), password: PASSWORD });
    const bob = await host.client().signup({ email: newEmail(), password: PASSWORD });
    const { id } = await host.client(ann.sessionToken).createDatabase({ name: "secret" });
    const client = host.client(bob.sessionToken);
    const unknown = await failure(client.deleteDatabase({ databaseId: "0".repeat(32) }));
    expect(unknown.code).toBe("NotFound");
    expect(await failure(client.deleteDatabase({ databaseId: id }))).toEqual(unknown);
    for (const direction of [Direction.PUSH, Direction.PULL]) {
      expect(await failure(client.issueSyncToken({ databaseId: id, direction }))).toEqual(unknown);
    }
    expect((await client.listDatabases({})).databases).toEqual([]);
    expect(host.removed).not.toContain(id);
    expect((await host.client(ann.sessionToken).listDatabases({})).databases).toHaveLength(1);
  });

  it("may have the names of one's own", async () => {
    for (const email of [newEmail(), newEmail()]) {
      const { sessionToken } = await host.client().signup({ email, password: PASSWORD });
      await expect(host.client(sessionToken).createDatabase({ name: "shop" })).resolves.toMatchObject({ name: "shop" });
    }
  });
});

describe("sync tokens", () => {
  it("last as long as is asked for, within what the server allows", async () => {
    const own = await startAdminHost({
      syncTokenTtlSeconds: 120,
      maxSyncTokenTtlSeconds: 600,
      now: () => 1_900_000_000_500,
    });
    const { sessionToken } = await own.client().signup({ email: newEmail(), password: PASSWORD });
    const client = own.client(sessionToken);
    const { id } = await client.createDatabase({ name: "shop" });
    const issue = (ttlSeconds: bigint) =>
      client.issueSyncToken({ databaseId: id, direction: Direction.PUSH, ttlSeconds });
    expect((await issue(0n)).expUnix).toBe(1_900_000_120n);
    expect((await issue(1n)).expUnix).toBe(1_900_000_001n);
    expect((await issue(600n)).expUnix).toBe(1_900_000_600n);
    for (const ttl of [601n, -1n, 2n ** 63n - 1n, -(2n ** 63n)]) {
      expect(await failure(issue(ttl))).toMatchObject({
        code: "InvalidArgument",
        message: expect.stringContaining("600"),
      });
    }
  });

  it("are not sessions, and sessions are not sync tokens", async () => {
    const { sessionToken } = await host.client().signup({ email: newEmail(), password: PASSWORD });
    const client = host.client(sessionToken);
    const { id } = await client.createDatabase({ name: "shop" });
    const { token } = await client.issueSyncToken({ databaseId: id, direction: Direction.PUSH });
    expect(await failure(host.client(token).whoami({}))).toMatchObject({ code: "Unauthenticated" });
    expect(() => host.tokens.verify(sessionToken, "sync")).toThrow();
  });
});

describe("sessions", () => {
  it("end when their time is over", async () => {
    let now = Date.now();
    const own = await startAdminHost({ sessionTtlSeconds: 60, now: () => now });
    const { sessionToken } = await own.client().signup({ email: newEmail(), password: PASSWORD });
    now += 59_000;
    await expect(own.client(sessionToken).whoami({})).resolves.toBeDefined();
    now += 2_000;
    expect(await failure(own.client(sessionToken).whoami({}))).toMatchObject({ code: "Unauthenticated" });
  });

  it("of an account that is not there any more are refused", async () => {
    const claims = {
      purpose: "session",
      userId: "f".repeat(32),
      email: "a@example.com",
      orgId: "0".repeat(32),
      role: "admin",
    } as const;
    const session = host.tokens.mint(claims, nowSeconds() + 60);
    const gone = await failure(host.client(session).whoami({}));
    expect(gone).toMatchObject({ code: "Unauthenticated", message: expect.stringContaining("not there any more") });
    expect(await failure(host.client(session).createDatabase({ name: "shop" }))).toEqual(gone);
    expect(await failure(host.client(session).listDatabases({}))).toEqual(gone);
  });
});
