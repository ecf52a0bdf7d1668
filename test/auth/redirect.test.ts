import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { createReplicaAuth } from "../../src/auth/create-replica-auth.js";
import { startHttpHost } from "../support/http-host.js";
import { makeCredentials } from "./credentials.js";
import { isSignedFor } from "./sent-request.js";

interface Echo {
  method: string;
  path: string;
  body: string;
  headers: Record<string, string>;
}

/**
 * A server that redirects `/<status>/<target>` to `/<target>`, `/out?<address>` to that address, and echoes anything
 * else.
 */
async function startRedirector() {
  return startHttpHost(async (request, response) => {
    const path = request.url ?? "";
    const [, status, target] = /^\/(30\d)\/(.*)$/.exec(path) ?? [];
    const out = /^\/out\?(.*)$/.exec(path)?.[1];
    const chunks: Buffer[] = [];
    request.on("data", (chunk) => chunks.push(chunk));
    await once(request, "end");
    if (path === "/nowhere") return void response.writeHead(302).end("no location");
    if (path === "/broken") return void response.writeHead(302, { location: "http://[" }).end();
    if (out !== undefined) return void response.writeHead(307, { location: decodeURIComponent(out) }).end();
    if (status !== undefined) return void response.writeHead(Number(status), { location: `/${target}` }).end("moved");
    const { method = "", headers } = request;
    return void response.end(JSON.stringify({ method, path, headers, body: Buffer.concat(chunks).toString() }));
  });
}

const auth = await createReplicaAuth({ credentials: await makeCredentials() });
const post: RequestInit = {
  method: "POST",
  body: '{"a":1}',
  headers: { "Content-Type": "application/json", "X-Mine": "1" },
};

describe("redirects within the origin", () => {
  it.each([
    [301, "POST", "GET"],
    [302, "POST", "GET"],
    [303, "POST", "GET"],
    [307, "POST", "POST"],
    [308, "POST", "POST"],
    [301, "PUT", "PUT"],
    [302, "DELETE", "DELETE"],
    [303, "PUT", "GET"],
    [302, "GET", "GET"],
    [303, "HEAD", "HEAD"],
  ])("a %i turns %s into %s and is signed afresh", async (status, method, expected) => {
    const host = await startRedirector();
    const bodyless = method === "GET" || method === "HEAD";
    const init = bodyless ? { method, headers: { "X-Mine": "1" } } : { ...post, method };
    const response = await auth.fetch(`${host.origin}/${status}/end?q=1`, init);
    expect(response.status).toBe(200);
    const [first, last] = host.requests;
    expect(host.requests).toHaveLength(2);
    expect(last?.method).toBe(expected);
    expect(last?.path).toBe("/end");
    expect(last?.headers["x-mine"]).toBe("1");
    expect(last?.headers["x-starfish-nonce"]).not.toBe(first?.headers["x-starfish-nonce"]);

    const keepsBody = expected === method && !bodyless;
    expect(last?.headers["content-type"]).toBe(keepsBody ? "application/json" : undefined);
    const headers = new Headers(last?.headers as Record<string, string>);
    expect(await isSignedFor(headers, expected, `${host.origin}/end?q=1`, keepsBody ? '{"a":1}' : "")).toBe(true);
    if (expected !== "HEAD") {
      const { body } = (await response.json()) as Echo;
      expect(body).toBe(keepsBody ? '{"a":1}' : "");
    }
  });

  it("are followed five times and not a sixth", async () => {
    const host = await startRedirector();
    const chain = (length: number): string => `${host.origin}/${"307/".repeat(length)}end`;
    expect((await auth.fetch(chain(5))).status).toBe(200);
    await expect(auth.fetch(chain(6))).rejects.toMatchObject({
      code: "PRIMARY_REDIRECTED",
      status: 307,
      message: expect.stringContaining("more than 5 times"),
    });
  });

  it("are handed to a caller who asked for them by hand, with one signature", async () => {
    const host = await startRedirector();
    const response = await auth.fetch(`${host.origin}/302/end`, { redirect: "manual" });
    expect([response.status, response.headers.get("location")]).toEqual([302, "/end"]);
    expect(host.requests).toHaveLength(1);
  });

  it("fail as fetch fails for a caller who wants none", async () => {
    const host = await startRedirector();
    await expect(auth.fetch(`${host.origin}/302/end`, { redirect: "error" })).rejects.toThrow(TypeError);
    await expect(auth.fetch(new Request(`${host.origin}/302/end`, { redirect: "error" }))).rejects.toThrow(TypeError);
  });

  it("are answers like any other when they name no location", async () => {
    const host = await startRedirector();
    const response = await auth.fetch(`${host.origin}/nowhere`);
    expect([response.status, await response.text()]).toEqual([302, "no location"]);
  });
});

describe("redirects to anywhere else", () => {
  it("are refused, and nothing is sent there", async () => {
    const host = await startRedirector();
    const other = await startRedirector();
    const failure = await auth
      .fetch(`${host.origin}/out?${encodeURIComponent(`${other.origin}/steal?token=s3cret`)}`, post)
      .catch((error) => error);
    expect(failure).toMatchObject({ code: "PRIMARY_REDIRECTED", status: 307, retryable: false });
    expect(failure.message).toContain(other.origin);
    expect(failure.message).not.toContain("s3cret");
    expect(failure.hint).toContain("new address");
    expect(other.connections.total).toBe(0);
  });

  it("are refused for another scheme, a user name and what is no address", async () => {
    const host = await startRedirector();
    const withUser = host.origin.replace("//", "//me:s3cret@");
    for (const target of [
      host.origin.replace("http:", "https:"),
      "file:///etc/passwd",
      "javascript:1",
      `${withUser}/x`,
    ]) {
      const failure = await auth.fetch(`${host.origin}/out?${encodeURIComponent(target)}`).catch((error) => error);
      expect(failure).toMatchObject({ code: "PRIMARY_REDIRECTED" });
      expect(failure.message).not.toContain("s3cret");
    }
    await expect(auth.fetch(`${host.origin}/broken`)).rejects.toMatchObject({ code: "PRIMARY_REDIRECTED" });
  });

  it("are refused when fetchFn hides where they lead", async () => {
    const opaque = { type: "opaqueredirect", status: 0, headers: new Headers(), body: null } as Response;
    const hidden = await createReplicaAuth({ credentials: await makeCredentials(), fetchFn: async () => opaque });
    await expect(hidden.fetch("https://a.example/")).rejects.toMatchObject({ code: "PRIMARY_REDIRECTED" });
  });
});
