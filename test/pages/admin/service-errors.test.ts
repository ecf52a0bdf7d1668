import { Code, ConnectError } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, it } from "vitest";
import { ReplicaError, type ReplicaErrorCode } from "../../../src/errors.js";
import type { Accounts } from "../../../src/pages/accounts/accounts.js";
import type { AttemptLimiter } from "../../../src/pages/accounts/attempt-limiter.js";
import { ErrorInfoSchema, RetryInfoSchema } from "../../../src/pages/admin/gen/google/rpc/error_details_pb.js";
import { sessionClient, startAdminHost } from "./admin-host.js";
import { parseJsonObject } from "./parse-json-object.js";

const PASSWORD = "correct horse battery";
const SECRET = "/srv/secret/path";

async function failure(call: Promise<unknown>): Promise<ConnectError> {
  return await call.then(
    () => expect.fail("the call succeeded"),
    (thrown: unknown) => ConnectError.from(thrown),
  );
}

/** Real accounts of which one call throws what cannot be made to happen otherwise. */
function failing(method: keyof Accounts, error: unknown): (accounts: Accounts) => Accounts {
  return (accounts) => ({ ...accounts, [method]: () => Promise.reject(error) });
}

describe("what a caller of the admin service is told", () => {
  it("is when to try again, where there were too many attempts", async () => {
    const tooMany = async () => {
      throw new ReplicaError("RATE_LIMITED", "Too many attempts", { hint: "Wait", retryAfterMs: 2_345 });
    };
    const limiter: AttemptLimiter = { admit: tooMany, beginLogin: tooMany };
    const host = await startAdminHost({ limiter });
    const grpc = sessionClient(createGrpcTransport({ baseUrl: host.http2Origin }));
    for (const client of [host.client(), grpc]) {
      for (const call of [
        client.signup({ email: "a@example.com", password: PASSWORD }),
        client.login({ email: "a@example.com", password: PASSWORD }),
      ]) {
        const error = await failure(call);
        expect([Code[error.code], error.rawMessage]).toEqual(["ResourceExhausted", "Too many attempts. Wait"]);
        expect(error.metadata.get("retry-after")).toBe("3");
        expect(error.findDetails(RetryInfoSchema)).toMatchObject([{ retryDelay: { seconds: 2n, nanos: 345_000_000 } }]);
        expect(error.findDetails(ErrorInfoSchema)).toMatchObject([
          { reason: "RATE_LIMITED", domain: "starfish-replica" },
        ]);
      }
    }
    expect(host.errors).toEqual([]);
  });

  it.each<[string, unknown]>([
    ["any error", new Error(`EACCES ${SECRET}`)],
    ["what is no error", SECRET],
    ["an error of ours that is not for callers", new ReplicaError("PAGE_STORE", `${SECRET} is full`)],
    ["a worker that died", new ReplicaError("WORKER_FAILED", `The thread ended: ${SECRET}`)],
  ])("is nothing of the server's own failures: %s", async (_what, thrown) => {
    const host = await startAdminHost({ wrapAccounts: failing("signup", thrown) });
    const error = await failure(host.client().signup({ email: "a@example.com", password: PASSWORD }));
    expect(Code[error.code]).toBe("Internal");
    expect(error.rawMessage).not.toContain(SECRET);
    expect(error.details).toEqual([]);
    expect(host.errors).toEqual([thrown]);
  });

  it.each<[ReplicaErrorCode, keyof typeof Code]>([
    ["QUOTA_EXCEEDED", "ResourceExhausted"],
    ["STOPPED", "Unavailable"],
  ])("is %s as %s", async (code, expected) => {
    const host = await startAdminHost({ wrapAccounts: failing("signup", new ReplicaError(code, "Sorry")) });
    const error = await failure(host.client().signup({ email: "a@example.com", password: PASSWORD }));
    expect([Code[error.code], error.rawMessage]).toEqual([expected, "Sorry"]);
    expect(host.errors).toEqual([]);
  });

  it("is that sign-up is closed, where it is", async () => {
    const host = await startAdminHost({ allowSignup: false });
    const error = await failure(host.client().signup({ email: "a@example.com", password: PASSWORD }));
    expect(Code[error.code]).toBe("PermissionDenied");
    await host.accounts.signup("b@example.com", PASSWORD);
    await expect(host.client().login({ email: "b@example.com", password: PASSWORD })).resolves.toBeDefined();
  });

  it("has no password in it", async () => {
    const host = await startAdminHost();
    const answer = await fetch(`${host.http.origin}/edgereplica.admin.v1.AdminService/Login`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ email: "nobody", password: "hunter2" }),
    });
    expect(JSON.stringify(await parseJsonObject(answer))).not.toContain("hunter2");
  });
});

describe("attempts at the admin service", () => {
  it("count for the address of the socket, over HTTP/1.1 and HTTP/2", async () => {
    const host = await startAdminHost();
    await host.client().signup({ email: "a@example.com", password: PASSWORD });
    const grpc = sessionClient(createGrpcTransport({ baseUrl: host.http2Origin }));
    await grpc.login({ email: "a@example.com", password: PASSWORD });
    expect(host.admitted).toEqual(["127.0.0.1", "127.0.0.1"]);
  });

  it("count for whom the host names, which sees the request and its socket", async () => {
    const host = await startAdminHost({
      clientAddress: (request, incoming) => `${request.headers.get("x-real-ip")} via ${incoming?.socket.remoteAddress}`,
    });
    const headers = { "x-real-ip": "203.0.113.9" };
    await host.client().signup({ email: "a@example.com", password: PASSWORD }, { headers });
    const grpc = sessionClient(createGrpcTransport({ baseUrl: host.http2Origin }));
    await grpc.login({ email: "a@example.com", password: PASSWORD }, { headers });
    expect(host.admitted).toEqual(["203.0.113.9 via 127.0.0.1", "203.0.113.9 via 127.0.0.1"]);
  });

  it("count together where the host's own function fails, which it is told", async () => {
    const broken = new Error("no such header");
    const host = await startAdminHost({
      clientAddress: () => {
        throw broken;
      },
    });
    await host.client().signup({ email: "a@example.com", password: PASSWORD });
    expect(host.admitted).toEqual(["unknown"]);
    expect(host.errors).toEqual([broken]);
  });

  it("to log in are told how they went: right, wrong, or never tried", async () => {
    const told: string[] = [];
    const limiter: AttemptLimiter = {
      admit: async () => {},
      beginLogin: async (_address, email) => ({
        succeed: () => told.push(`${email} succeeded`),
        undo: () => told.push(`${email} was not tried`),
      }),
    };
    const host = await startAdminHost({ limiter });
    await host.client().signup({ email: "a@example.com", password: PASSWORD });
    await host.client().login({ email: "a@example.com", password: PASSWORD });
    await failure(host.client().login({ email: "a@example.com", password: "wrong password" }));
    expect(told).toEqual(["a@example.com succeeded"]);
    const broken = await startAdminHost({ limiter, wrapAccounts: failing("login", new Error("broken")) });
    await failure(broken.client().login({ email: "b@example.com", password: PASSWORD }));
    expect(told).toEqual(["a@example.com succeeded", "b@example.com was not tried"]);
  });
});
