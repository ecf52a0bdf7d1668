import { computeHash } from "@drakkar.software/starfish-protocol";
import { describe, expect, it } from "vitest";
import { badDocuments, deepDocument, pollutingDocument } from "../support/bad-documents.js";
import { gzipBomb } from "../support/gzip-bomb.js";
import { hostile } from "../support/hostile.js";
import { startHostileServer } from "../support/hostile-server.js";
import { waitFor } from "../support/wait.js";

describe("startHostileServer", () => {
  it("answers by script first, then by path, and keeps the requests with their bodies", async () => {
    const server = await startHostileServer();
    server.on("*", hostile.status(418));
    server.on("/v1/pull/a", hostile.document({ a: 1 }));
    server.next(hostile.status(500), hostile.status(502));
    const statuses: number[] = [];
    for (const path of ["/pull/a", "/pull/b", "/pull/a", "/pull/b"]) {
      statuses.push(
        (await fetch(server.url + path, { method: "POST", body: path, headers: { "x-test": "1" } })).status,
      );
    }
    expect(statuses).toEqual([500, 502, 200, 418]);
    expect(server.received.map((one) => one.body)).toEqual(["/pull/a", "/pull/b", "/pull/a", "/pull/b"]);
    expect(server.received[0]).toMatchObject({ method: "POST", path: "/v1/pull/a", headers: { "x-test": "1" } });
  });

  it("refuses what nothing was scripted for", async () => {
    const server = await startHostileServer();
    expect((await fetch(server.url)).status).toBe(501);
  });

  it("gives a right document, and 304 for its hash", async () => {
    const server = await startHostileServer();
    server.on("*", hostile.document({ a: 1 }));
    const hash = await computeHash({ a: 1 });
    expect(await (await fetch(server.url)).json()).toMatchObject({ data: { a: 1 }, hash });
    expect((await fetch(server.url, { headers: { "if-none-match": `"${hash}"` } })).status).toBe(304);
  });

  it.each(["content-length", "chunked"] as const)("breaks JSON off (%s)", async (how) => {
    const server = await startHostileServer();
    server.next(hostile.truncated(how));
    const response = await fetch(server.url);
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow("terminated");
  });

  it("declares fewer bytes than it sends", async () => {
    const server = await startHostileServer();
    server.next(hostile.contentLengthTooSmall());
    await expect(fetch(server.url).then((response) => response.json())).rejects.toThrow();
  });

  it("sends HTML, other statuses, Retry-After and a Date of its own", async () => {
    const server = await startHostileServer();
    const late = new Date(Date.UTC(2001, 1, 3, 4, 5, 6));
    server.next(
      hostile.html(),
      hostile.tooManyRequests(3),
      hostile.tooManyRequests(late),
      hostile.unauthorizedAt(late),
      hostile.status(204),
    );
    const html = await fetch(server.url);
    expect([html.status, html.headers.get("content-type")]).toEqual([200, "text/html"]);
    expect((await fetch(server.url)).headers.get("retry-after")).toBe("3");
    expect((await fetch(server.url)).headers.get("retry-after")).toBe("Sat, 03 Feb 2001 04:05:06 GMT");
    const refused = await fetch(server.url);
    expect([refused.status, refused.headers.get("date")]).toEqual([401, "Sat, 03 Feb 2001 04:05:06 GMT"]);
    expect((await fetch(server.url)).status).toBe(204);
  });

  it("redirects elsewhere, within the origin, and in a loop", async () => {
    const [server, other] = await Promise.all([startHostileServer(), startHostileServer()]);
    server.next(hostile.redirect(`${other.origin}/there`), hostile.redirect("/here", 307));
    other.on("/there", hostile.status(200));
    server.on("/here", hostile.status(200));
    server.on("/loop", hostile.redirectLoop());
    expect((await fetch(server.url)).url).toBe(`${other.origin}/there`);
    expect((await fetch(server.url)).url).toBe(`${server.origin}/here`);
    await expect(fetch(`${server.origin}/loop`)).rejects.toThrow();
    expect(server.count("/loop")).toBeGreaterThan(5);
  });

  it.each(["declared", "chunked"] as const)("streams too much (%s), and stops when the client leaves", async (how) => {
    const server = await startHostileServer();
    server.on("*", hostile.oversize(how));
    server.next(hostile.oversize(how, 1_000_000));
    const whole = await (await fetch(server.url)).text();
    expect(whole).toHaveLength(1_000_000);
    expect(JSON.parse(whole).data.text).toMatch(/^x+$/);
    const controller = new AbortController();
    const response = await fetch(server.url, { signal: controller.signal });
    await response.body?.getReader().read();
    controller.abort();
    await waitFor(() => server.requests[1]?.state === "aborted");
    expect(server.requests[1]?.bytesSent).toBeLessThan(50_000_000);
  });

  it("sends a gzip bomb that is small on the wire and more than 100 MB unpacked", async () => {
    const server = await startHostileServer();
    server.next(gzipBomb(), gzipBomb(1));
    const response = await fetch(server.url);
    let unpacked = 0;
    for await (const piece of response.body ?? []) unpacked += piece.byteLength;
    expect(unpacked).toBeGreaterThan(100_000_000);
    expect(server.requests[0]?.bytesSent).toBeLessThan(500_000);
    const small = (await (await fetch(server.url)).json()) as { data: { text: string } };
    expect(small.data.text).toHaveLength(1024 * 1024);
  });

  it("never answers, or only begins to", async () => {
    const server = await startHostileServer();
    server.next(hostile.silence(), hostile.headThenSilence());
    await expect(fetch(server.url, { signal: AbortSignal.timeout(30) })).rejects.toThrow("timeout");
    const controller = new AbortController();
    const response = await fetch(server.url, { signal: controller.signal });
    expect(response.status).toBe(200);
    const text = response.text();
    controller.abort();
    await expect(text).rejects.toThrow("aborted");
  });

  it.each([
    ["reset", "ECONNRESET"],
    ["end", "UND_ERR_SOCKET"],
  ] as const)("hangs up (%s)", async (how, code) => {
    const server = await startHostileServer();
    server.next(hostile.hangUp(how));
    await expect(fetch(server.url)).rejects.toMatchObject({ cause: { code } });
  });
});

describe("bad documents", () => {
  it("are wrong, each in its own way", () => {
    const wrong = Object.entries(badDocuments).filter(([, body]) => {
      try {
        const parsed = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(body)));
        const { data, hash } = parsed;
        return typeof data !== "object" || data === null || Array.isArray(data) || typeof hash !== "string";
      } catch {
        return true;
      }
    });
    expect(wrong).toHaveLength(Object.keys(badDocuments).length);
  });

  it("can be deep, and can carry keys that pollute", () => {
    let depth = 0;
    for (let at = JSON.parse(deepDocument(10_000)).data.deep; Array.isArray(at); at = at[0]) depth += 1;
    expect(depth).toBe(10_000);
    const { data } = JSON.parse(pollutingDocument());
    expect(Object.hasOwn(data, "__proto__") && Object.hasOwn(data.list[1][0], "__proto__")).toBe(true);
    expect([data.kept, data.inner.kept, data.list[0].kept]).toEqual([1, 1, 1]);
  });
});
