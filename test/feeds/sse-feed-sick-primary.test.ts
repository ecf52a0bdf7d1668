import type { ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import type { SseFeedOptions } from "../../src/feeds/sse-feed.js";
import { hostile } from "../support/hostile.js";
import { type Behaviour, startHostileServer } from "../support/hostile-server.js";
import { realDelay } from "../support/real-time.js";
import { change, feedAtServer, READY, stream } from "./feed-at-server.js";

const NO_GAP = READY.replace("true", "false");

const clients: Array<[string, Partial<SseFeedOptions>]> = [
  ["undici", {}],
  ["fetch", { fetchFn: fetch }],
];

describe.each(clients)("createSseFeed over %s, at a sick primary", (client, options) => {
  it.each<[string, Behaviour, string, RegExp]>([
    ["a web page", hostile.html(), "ANSWER_INVALID", /answered with "text\/html", which is no event stream/],
    ["JSON", hostile.text("{}"), "ANSWER_INVALID", /application\/json/],
    ["no content type", hostile.text("", 200, {}), "ANSWER_INVALID", /no content type/],
    ["204", hostile.status(204), "ANSWER_INVALID", /answered 204/],
    ["401", hostile.status(401), "PRIMARY_REFUSED", /answered 401/],
    ["404", hostile.status(404), "PRIMARY_REFUSED", /answered 404/],
    ["429", hostile.status(429), "PRIMARY_UNAVAILABLE", /answered 429/],
    ["500", hostile.status(500), "PRIMARY_UNAVAILABLE", /answered 500/],
    ["a reset", hostile.hangUp("reset"), "PRIMARY_UNREACHABLE", /cannot be reached/],
    ["an end without an answer", hostile.hangUp("end"), "PRIMARY_UNREACHABLE", /cannot be reached/],
    ["an empty stream", stream.ended(""), "PRIMARY_UNREACHABLE", /before it said anything/],
    ["a redirect to no URL", hostile.redirect("http://"), "PRIMARY_REDIRECTED", /something that is no URL/],
    ["a redirect loop", hostile.redirectLoop(), "PRIMARY_REDIRECTED", /more than 5 times/],
  ])("reports %s and comes back", async (_what, behaviour, code, message) => {
    const loops = _what === "a redirect loop" ? 6 : 1;
    const { handler, errors, server } = await feedAtServer(options, ...Array.from({ length: loops }, () => behaviour));
    await handler.gapped();
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(server.count()).toBe(loops + 1);
    expect(handler.gaps).toBe(1);
  });

  it("reports a stream that breaks off, and goes on from the last id", async () => {
    const { handler, errors, server } = await feedAtServer(
      options,
      (_request, response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(READY + change("1", "e-1"), () => setTimeout(() => response.destroy(), 20));
      },
      stream.open(NO_GAP + change("2", "e-2")),
    );
    await handler.heard("2");
    expect(errors).toMatchObject([{ code: "PRIMARY_UNREACHABLE", message: expect.stringContaining("broke off") }]);
    expect(handler.story).toEqual(["gap", "1", "2"]);
    expect(server.requests.map(({ headers }) => headers["last-event-id"])).toEqual([undefined, "e-1"]);
  });

  it("does not call an orderly end an error", async () => {
    const { handler, errors } = await feedAtServer(
      options,
      stream.ended(READY + change("1")),
      stream.open(NO_GAP + change("2")),
    );
    await handler.heard("2");
    expect(errors).toEqual([]);
    expect(handler.story).toEqual(["gap", "1", "2"]);
  });

  it("takes neither credentials nor events to another origin", async () => {
    const other = await startHostileServer();
    other.on("*", stream.open(READY + change("evil")));
    const { handler, errors } = await feedAtServer(
      { ...options, headers: { Authorization: "Bearer secret" } },
      hostile.redirect(`${other.url}/changes?token=secret`),
    );
    await handler.gapped();
    expect(other.count()).toBe(0);
    expect(errors).toMatchObject([{ code: "PRIMARY_REDIRECTED", status: 302 }]);
    expect(errors[0]?.message).not.toContain("secret");
    expect(handler.events).toEqual([]);
  });

  it("follows a redirect within the origin", async () => {
    const { handler, errors, server } = await feedAtServer(options, hostile.redirect("/v2/changes", 308));
    await handler.gapped();
    expect(server.requests.map(({ path }) => path)).toEqual(["/v1/changes", "/v2/changes"]);
    expect(errors).toEqual([]);
  });

  it("gives up a connection that does not answer, or falls silent, and says so", async () => {
    const silent = 'event: ready\ndata: {"gap":true,"heartbeatMs":100}\n\n';
    const { handler, errors } = await feedAtServer(
      { ...options, connectTimeoutMs: 300 },
      hostile.silence(),
      stream.open(silent),
      stream.open(READY),
    );
    await handler.gapped(2);
    expect(errors).toMatchObject([
      { code: "PRIMARY_TIMEOUT", message: expect.stringContaining("silent for 300 ms") },
      { code: "PRIMARY_TIMEOUT", message: expect.stringContaining("silent for 300 ms") },
    ]);
  });

  it("stays while heartbeats come", async () => {
    let response: ServerResponse | undefined;
    const { handler, errors, server } = await feedAtServer(options, (_request, given) => {
      response = given;
      stream.open('event: ready\ndata: {"gap":true,"heartbeatMs":150}\n\n')(_request, given);
    });
    await handler.gapped();
    for (let beat = 0; beat < 12; beat++) {
      await realDelay(60);
      response?.write(":\n\n");
    }
    expect(server.count()).toBe(1);
    expect(errors).toEqual([]);
  });

  it("refuses a line without an end, having kept next to none of it", async () => {
    const before = process.memoryUsage().rss;
    const sent = { bytes: 0 };
    const { handler, errors } = await feedAtServer(options, stream.endless("data: ", "x", sent));
    await handler.gapped();
    expect(errors).toMatchObject([{ code: "ANSWER_TOO_LARGE" }]);
    expect(sent.bytes).toBeLessThan(64 * 1024 * 1024);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
  });

  it.each([
    ["an event of endlessly many lines", "data: x\n", "ANSWER_TOO_LARGE"],
    ["endless lines without an event", "id: 1\nfoo: bar\n\n", "ANSWER_INVALID"],
    ["endless heartbeats", ":\n", "ANSWER_INVALID"],
    ["endless events of another kind", "event: other\ndata: x\n\n", "ANSWER_INVALID"],
    ["endless events that are garbage", "event: change\ndata: x\n\n", "ANSWER_INVALID"],
  ])("refuses %s", async (_what, text, code) => {
    const sent = { bytes: 0 };
    const { handler, errors } = await feedAtServer(
      options,
      stream.endless(READY, text, sent),
      stream.open(READY + change("1")),
    );
    await handler.heard("1");
    expect(errors.at(-1)).toMatchObject({ code });
    expect(sent.bytes).toBeLessThan(64 * 1024 * 1024);
  });

  it("connects without credentials in the address bar, with its headers, asking for an event stream", async () => {
    const { handler, server } = await feedAtServer({
      ...options,
      headers: { Authorization: "Bearer secret", ACCEPT: "x/y" },
    });
    await handler.gapped();
    expect(server.requests[0]?.headers).toMatchObject({ authorization: "Bearer secret", accept: "x/y" });
    if (client === "undici") expect(server.requests[0]?.headers["accept-encoding"]).toBe("identity");
  });
});
