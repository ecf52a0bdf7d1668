import {
  createCapCertRoleResolver,
  createInMemoryNonceCache,
  createInMemoryRevocationStore,
} from "@drakkar.software/starfish-server";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { createReplicaAuth } from "../../src/auth/create-replica-auth.js";
import type { ReplicaAuth } from "../../src/auth/replica-auth.js";
import { collection } from "../support/collection.js";
import { type Primary, startPrimary } from "../support/primary.js";
import { makeCredentials, nowSec } from "./credentials.js";
import { recordingFetch } from "./sent-request.js";

const JSON_HEADERS = { "content-type": "application/json" };
let primary: Primary;
let auth: ReplicaAuth;

beforeAll(async () => {
  // The host prints each refusal, with a stack; these are meant.
  vi.spyOn(console, "error").mockImplementation(() => {});
  const items = collection("items", { storagePath: "items/{id}" });
  const resolver = createCapCertRoleResolver({
    nonceCache: createInMemoryNonceCache(),
    revocationStore: createInMemoryRevocationStore(),
    allowAnonymous: false,
  });
  primary = await startPrimary({
    auth: "cap-cert",
    collections: [collection("posts"), items],
    // Says who is asking, on any path.
    mount: (app) => app.all("/who/*", async (c) => c.text((await resolver(c)).identity)),
  });
  auth = await createReplicaAuth({ credentials: await makeCredentials() });
});

const push = (path: string, data: unknown): RequestInit & { body: string } => ({
  method: "POST",
  headers: JSON_HEADERS,
  body: JSON.stringify({ data: { path, data }, baseHash: null }),
});

describe("a real primary", () => {
  it("refuses what is not signed", async () => {
    expect((await fetch(`${primary.url}/pull/posts/doc`)).status).toBe(401);
  });

  it("accepts signed pulls, with a query too, at a host with a port", async () => {
    for (const search of ["", "?", "?x=1&y=%20&z=a+b", "?q=\u00fc\u{1F600}&q=%2F"]) {
      const response = await auth.fetch(`${primary.url}/pull/posts/doc${search}`);
      expect(response.status).toBe(200);
      expect(await response.json()).toMatchObject({ hash: "" });
    }
    expect(new URL(primary.url).port).not.toBe("");
  });

  it("accepts a push to and a pull from a stored document", async () => {
    const pushed = await auth.fetch(`${primary.url}/push/items/plain`, push("plain", 1));
    expect(pushed.status).toBe(200);
    const { hash } = (await pushed.json()) as { hash: string };
    const pulled = await auth.fetch(new URL(`${primary.url}/pull/items/plain`));
    expect(await pulled.json()).toMatchObject({ hash, data: { path: "plain" } });
  });

  // The sync routes themselves take plain names only.
  it.each([
    "\u00fcml\u00e4ut",
    "\u65e5\u672c\u8a9e",
    "\u{1F600}",
    "with space",
    "a%2Bb%C3%BC",
    "quote'and(brackets)",
    "a/../b",
    "a//b",
    "%",
  ])("lets requests to the path %s in", async (path) => {
    for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"]) {
      const init = method === "GET" ? {} : { headers: JSON_HEADERS, body: "{}" };
      const response = await auth.fetch(`${primary.origin}/who/${path}?\u00fc`, { method, ...init });
      expect([method, await response.text()]).toEqual([method, auth.userId]);
    }
  });

  it("accepts a body of a megabyte", async () => {
    const response = await auth.fetch(`${primary.url}/push/items/large`, push("large", "\u00e9".repeat(500_000)));
    expect(response.status).toBe(200);
  });

  it.each<[string, (text: string) => unknown]>([
    ["a string", (text) => text],
    ["bytes", (text) => new TextEncoder().encode(text)],
    ["an ArrayBuffer", (text) => new TextEncoder().encode(text).buffer],
    ["a view of a part of a buffer", (text) => new DataView(Uint8Array.from(Buffer.from(`..${text}`)).buffer, 2)],
    ["a Blob", (text) => new Blob([text])],
    ["a stream", (text) => new Blob([text]).stream()],
    [
      "an async iterable",
      async function* (text) {
        yield new TextEncoder().encode(text.slice(0, 5));
        yield new TextEncoder().encode(text.slice(5));
      },
    ],
  ])("accepts a body that is %s", async (kind, wrap) => {
    const path = `body-${kind.replaceAll(" ", "-")}`;
    const init = push(path, kind);
    const body = wrap(init.body) as NonNullable<RequestInit["body"]>;
    const response = await auth.fetch(`${primary.url}/push/items/${path}`, { ...init, body });
    expect(response.status).toBe(200);
  });

  it("accepts a Request, and an init that wins over it", async () => {
    const address = `${primary.url}/push/items/request`;
    const first = await auth.fetch(new Request(address, push("request", 1)));
    expect(first.status).toBe(200);
    const { hash } = (await first.json()) as { hash: string };
    const body = JSON.stringify({ data: { second: true }, baseHash: hash });
    expect((await auth.fetch(new Request(address, push("request", 1)), { body })).status).toBe(200);
  });

  it("accepts a string that comes without a content type: it is not made text/plain, an upload to the primary", async () => {
    const { body } = push("untyped", 1);
    const response = await auth.fetch(`${primary.origin}/who/untyped`, { method: "POST", body });
    expect(await response.text()).toBe(auth.userId);
  });

  it("gets past authentication with an empty body", async () => {
    const response = await auth.fetch(`${primary.url}/push/items/empty`, { method: "POST" });
    expect(response.status).not.toBe(401);
    const echoed = await auth.fetch(`${primary.origin}/who/empty`, { method: "POST", headers: JSON_HEADERS, body: "" });
    expect(await echoed.text()).toBe(auth.userId);
  });

  it.each(["application/octet-stream", "text/plain;charset=UTF-8"])(
    "lets in an upload of %s, which it checks as if it were empty",
    async (type) => {
      const url = `${primary.origin}/who/upload`;
      const blob = new Blob(["some bytes"], { type });
      expect(await (await auth.fetch(url, { method: "POST", body: blob })).text()).toBe(auth.userId);
      const init = { method: "PUT", body: "some bytes", headers: { "Content-Type": type } };
      expect(await (await auth.fetch(url, init)).text()).toBe(auth.userId);
    },
  );

  it("accepts the headers of sign() once and refuses their replay", async () => {
    const url = `${primary.url}/pull/posts/doc?once`;
    const headers = await auth.sign({ method: "GET", url });
    expect((await fetch(url, { headers })).status).toBe(200);
    expect((await fetch(url, { headers })).status).toBe(401);
    expect((await fetch(url, { headers: await auth.sign({ method: "GET", url }) })).status).toBe(200);
  });

  it("refuses a signature on another path, method or body", async () => {
    const url = `${primary.url}/push/items/bound`;
    const { body } = push("bound", 1);
    const send = async (signed: { method: string; url: string; body: string }): Promise<number> => {
      const headers = { ...JSON_HEADERS, ...(await auth.sign(signed)) };
      return (await fetch(url, { method: "POST", headers, body })).status;
    };
    expect(await send({ method: "POST", url: `${url}2`, body })).toBe(401);
    expect(await send({ method: "PUT", url, body })).toBe(401);
    expect(await send({ method: "POST", url, body: `${body} ` })).toBe(401);
    expect(await send({ method: "POST", url, body })).toBe(200);
  });

  it("lets a paired device act for its root", async () => {
    const credentials = await makeCredentials({ paired: true, ttlSec: 3_600 });
    const paired = await createReplicaAuth({ credentials });
    expect(paired.userId).toBe(credentials.userId);
    expect((await paired.fetch(`${primary.url}/pull/posts/doc`)).status).toBe(200);
  });

  it("holds a narrow scope from the first request on", async () => {
    const scope = { ops: ["read" as const], collections: ["items"], paths: ["items/open/**", "items/open"] };
    const narrow = await createReplicaAuth({ credentials: await makeCredentials(), scope });
    expect((await narrow.fetch(`${primary.url}/pull/items/closed`)).status).toBe(403);
    expect((await narrow.fetch(`${primary.url}/push/items/open`, push("open", 1))).status).toBe(403);
    expect((await narrow.fetch(`${primary.url}/pull/items/open`)).status).toBe(200);
  });

  it("mints one cap-cert for a hundred requests near its expiry", async () => {
    const credentials = await makeCredentials({ ttlSec: 3_600, nbf: nowSec() });
    const { fetchFn, sent } = recordingFetch();
    const caps = new Set<string | null>();
    const watched = await createReplicaAuth({
      credentials,
      fetchFn: async (input, init) => {
        await fetchFn(input, init);
        caps.add(new Headers(init?.headers).get("authorization"));
        return fetch(input, init);
      },
    });
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) => watched.fetch(`${primary.url}/pull/posts/doc?${i}`)),
    );
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(caps.size).toBe(1);
    expect(new Set(sent.map(({ headers }) => headers.get("x-starfish-nonce"))).size).toBe(100);
  });

  it.each([
    ["ahead", 3_600],
    ["behind", -3_600],
  ])("is reached with a clock that is an hour %s, which is set right once", async (_, off) => {
    const { fetchFn, sent } = recordingFetch();
    const wrong = await createReplicaAuth({
      credentials: await makeCredentials({ nbf: nowSec() + off }),
      clock: () => Date.now() / 1000 + off,
      fetchFn: async (input, init) => {
        await fetchFn(input, init);
        return fetch(input, init);
      },
    });
    const posted = await wrong.fetch(`${primary.url}/push/items/clock${off}`, push("clock", off));
    expect(posted.status).toBe(200);
    expect(sent).toHaveLength(2);
    expect(sent[1]?.headers.get("x-starfish-nonce")).not.toBe(sent[0]?.headers.get("x-starfish-nonce"));
    expect((await wrong.fetch(`${primary.url}/pull/items/clock${off}`)).status).toBe(200);
    expect(sent).toHaveLength(3);
  });

  it("is reached by every one of many requests that were under way when the clock was found wrong", async () => {
    let requests = 0;
    const wrong = await createReplicaAuth({
      credentials: await makeCredentials(),
      clock: () => Date.now() / 1000 + 7_200,
      fetchFn: (input, init) => {
        requests += 1;
        return fetch(input, init);
      },
    });
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, i) => wrong.fetch(`${primary.url}/pull/posts/doc?w${i}`)),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(30).fill(200));
    expect(requests).toBe(60);
  });
});
