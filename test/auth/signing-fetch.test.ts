import { afterEach, describe, expect, it, vi } from "vitest";
import { createReplicaAuth } from "../../src/auth/create-replica-auth.js";
import { startHttpHost } from "../support/http-host.js";
import { deferred } from "../support/wait.js";
import { makeCredentials } from "./credentials.js";
import { capOf, isSignedFor, recordingFetch } from "./sent-request.js";

const URL_A = "https://primary.example/v1/pull/posts";
const credentials = await makeCredentials();

afterEach(() => {
  vi.unstubAllGlobals();
});

/** An auth that sends to a recorder, and what that got. */
async function recording(...answers: Parameters<typeof recordingFetch>) {
  const { sent, fetchFn } = recordingFetch(...answers);
  const auth = await createReplicaAuth({ credentials, fetchFn });
  return { auth, sent };
}

describe("ReplicaAuth.fetch", () => {
  it("keeps the caller's headers, and its own four win over them", async () => {
    const { auth, sent } = await recording();
    const headers = { "If-None-Match": '"abc"', authorization: "Bearer mine", "x-starfish-ts": "1" };
    for (const given of [headers, new Headers(headers), Object.entries(headers)])
      await auth.fetch(URL_A, { headers: given });
    for (const request of sent) {
      expect(request.headers.get("if-none-match")).toBe('"abc"');
      expect(await isSignedFor(request.headers, "GET", URL_A)).toBe(true);
    }
    expect(sent).toHaveLength(3);
    expect(headers.authorization).toBe("Bearer mine");
  });

  it("passes every other member of init through", async () => {
    const { auth, sent } = await recording();
    const { signal } = new AbortController();
    const dispatcher = { a: "dispatcher of undici" };
    const members = { signal, cache: "no-store", keepalive: true, referrer: "", integrity: "", dispatcher };
    await auth.fetch(URL_A, members as object);
    expect(sent[0]?.init).toMatchObject(members);
    expect(sent[0]?.init.signal).toBe(signal);
  });

  it("reads a Request as fetch does: init wins over it, headers as a whole", async () => {
    const { auth, sent } = await recording();
    const controller = new AbortController();
    const request = new Request(URL_A, {
      method: "PUT",
      headers: { a: "1" },
      body: "one",
      signal: controller.signal,
      ...({ cache: "no-cache" } as object),
    });
    await auth.fetch(request.clone());
    await auth.fetch(request.clone(), { headers: { b: "2" }, method: "POST", body: "two" });
    const [first, second] = sent;
    expect(first?.init).toMatchObject({ method: "PUT", cache: "no-cache", signal: expect.any(AbortSignal) });
    expect(first?.headers.get("a")).toBe("1");
    expect(Buffer.from(first?.body ?? []).toString()).toBe("one");
    expect(second?.headers.get("a")).toBe(null);
    expect(second?.headers.get("b")).toBe("2");
    expect(await isSignedFor(second?.headers ?? {}, "POST", URL_A, "two")).toBe(true);
  });

  it("takes forms and search parameters with the content type they bring along", async () => {
    const { auth, sent } = await recording();
    const form = new FormData();
    form.set("field", "value");
    await auth.fetch(URL_A, { method: "POST", body: form });
    await auth.fetch(URL_A, { method: "POST", body: new URLSearchParams({ a: "b c" }) });
    expect(sent[0]?.headers.get("content-type")).toMatch(/^multipart\/form-data; boundary=/);
    expect(Buffer.from(sent[0]?.body ?? []).toString()).toContain('name="field"');
    expect(sent[1]?.headers.get("content-type")).toMatch(/^application\/x-www-form-urlencoded/);
    expect(Buffer.from(sent[1]?.body ?? []).toString()).toBe("a=b+c");
  });

  it("sends the body as it was at the call", async () => {
    const { auth, sent } = await recording();
    const body = Buffer.from("before");
    const running = auth.fetch(URL_A, { method: "POST", body });
    body.fill("x");
    await running;
    expect(Buffer.from(sent[0]?.body ?? []).toString()).toBe("before");
    expect(await isSignedFor(sent[0]?.headers ?? {}, "POST", URL_A, "before")).toBe(true);
  });

  it("looks up globalThis.fetch at each call", async () => {
    const auth = await createReplicaAuth({ credentials });
    const { sent, fetchFn } = recordingFetch();
    vi.stubGlobal("fetch", fetchFn);
    await auth.fetch(URL_A);
    expect(sent).toHaveLength(1);
  });

  it("works with the fetch of the undici package", async () => {
    const host = await startHttpHost((request, response) => {
      let body = "";
      request.on("data", (chunk) => {
        body += chunk;
      });
      request.on("end", () => response.end(JSON.stringify({ body, cap: request.headers.authorization?.slice(0, 4) })));
    });
    const undici = await import("undici");
    const auth = await createReplicaAuth({ credentials, fetchFn: undici.fetch as unknown as typeof fetch });
    const response = await auth.fetch(`${host.origin}/x`, { method: "POST", body: "b\u00f6dy" });
    expect(await response.json()).toEqual({ body: "b\u00f6dy", cap: "Cap " });
    const request = new Request(`${host.origin}/x`, { method: "PUT", body: "again" });
    expect(await (await auth.fetch(request)).json()).toEqual({ body: "again", cap: "Cap " });
  });

  it("rejects like fetch does on a body with GET, on a used Request and on what is no address", async () => {
    const auth = await createReplicaAuth({ credentials });
    await expect(auth.fetch("http://127.0.0.1:9/", { body: "x" })).rejects.toThrow(TypeError);
    const used = new Request("http://127.0.0.1:9/", { method: "POST", body: "x" });
    await used.text();
    await expect(auth.fetch(used)).rejects.toThrow(TypeError);
    await expect(auth.fetch("/relative?token=s3cret")).rejects.toThrow(/absolute URL/);
  });

  it("hands on what fetchFn rejects with", async () => {
    const failure = new TypeError("fetch failed");
    const { auth } = await recording(() => {
      throw failure;
    });
    await expect(auth.fetch(URL_A)).rejects.toBe(failure);
  });

  it("returns a 401 as it is when its Date is missing or right", async () => {
    for (const headers of [{}, { date: new Date().toUTCString() }, { date: "not a date" }]) {
      const { auth, sent } = await recording(() => new Response("no", { status: 401, headers }));
      const response = await auth.fetch(URL_A);
      expect([response.status, await response.text(), sent.length]).toEqual([401, "no", 1]);
    }
  });
});

describe("aborting ReplicaAuth.fetch", () => {
  it("sends nothing when the signal is aborted already, whatever fetchFn does", async () => {
    let calls = 0;
    const auth = await createReplicaAuth({
      credentials,
      fetchFn: async () => {
        calls += 1;
        return new Response();
      },
    });
    const reason = new Error("stopped");
    await expect(auth.fetch(URL_A, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(calls).toBe(0);
  });

  it("ends a request that waits for its answer", async () => {
    const arrived = deferred();
    const host = await startHttpHost(() => arrived.resolve());
    const auth = await createReplicaAuth({ credentials });
    const controller = new AbortController();
    const running = auth.fetch(`${host.origin}/slow`, { signal: controller.signal });
    await arrived.promise;
    controller.abort(new Error("enough"));
    await expect(running).rejects.toThrow("enough");
  });

  it("ends the reading of a body that never ends, and cancels it", async () => {
    const cancelled = deferred<unknown>();
    const body = new ReadableStream({
      pull: () => new Promise(() => {}),
      cancel: (reason) => cancelled.resolve(reason),
    });
    const { auth, sent } = await recording();
    const controller = new AbortController();
    const running = auth.fetch(URL_A, { method: "POST", body, signal: controller.signal, duplex: "half" });
    const reason = new Error("enough");
    controller.abort(reason);
    await expect(running).rejects.toBe(reason);
    expect(await cancelled.promise).toBe(reason);
    expect(sent).toHaveLength(0);
  });

  it("does not try again after a 401 when it was aborted in between", async () => {
    const controller = new AbortController();
    const date = new Date(Date.now() + 7_200_000).toUTCString();
    let calls = 0;
    const auth = await createReplicaAuth({
      credentials,
      fetchFn: async () => {
        calls += 1;
        controller.abort();
        return new Response(null, { status: 401, headers: { date } });
      },
    });
    await expect(auth.fetch(URL_A, { signal: controller.signal })).rejects.toThrow(/abort/i);
    expect(calls).toBe(1);
  });

  it("rejects with what the body's stream fails with", async () => {
    const failure = new Error("disk gone");
    const body = new ReadableStream({ start: (controller) => controller.error(failure) });
    const { auth } = await recording();
    await expect(auth.fetch(URL_A, { method: "POST", body, duplex: "half" })).rejects.toBe(failure);
  });
});

describe("secrets", () => {
  it("are nowhere in the object, however it is printed, nor in the cap-cert", async () => {
    const { inspect } = await import("node:util");
    const auth = await createReplicaAuth({ credentials });
    const headers = await auth.sign({ method: "GET", url: URL_A });
    const printed = [
      inspect(auth, { depth: Infinity, showHidden: true, getters: true }),
      JSON.stringify(auth),
      JSON.stringify(capOf(headers)),
      JSON.stringify(headers),
    ].join("\n");
    expect(printed).toContain(auth.userId);
    expect(printed).not.toContain(credentials.device.edPriv);
    expect(printed).not.toContain(credentials.device.kemPriv);
  });
});
