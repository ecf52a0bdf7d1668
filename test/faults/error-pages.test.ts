import { describe, expect, it } from "vitest";
import { collection } from "../support/collection.js";
import { hostile } from "../support/hostile.js";
import { startHostileServer } from "../support/hostile-server.js";
import { remote, startReplica } from "../support/replica.js";

const LATIN1 = Buffer.from("<h1>Wartungsarbeiten f\u00fcr kurze Zeit</h1>", "latin1");

describe("an error page that is no JSON document", () => {
  async function setUp(writeMode: "pull_only" | "push_through") {
    const server = await startHostileServer();
    const replica = await startReplica({
      collections: [collection("posts")],
      remotes: { posts: remote(server.url, "posts", { writeMode, maxDocumentBytes: 10_000 }) },
    });
    return { server, replica };
  }

  it.each([
    ["in Latin-1", LATIN1],
    ["over maxDocumentBytes", "x".repeat(20_000)],
  ])("%s does not hide the status, nor Retry-After", async (_what, body) => {
    const { server, replica } = await setUp("pull_only");
    server.on("*", hostile.text(body, 503, { "retry-after": "60", "content-type": "text/html" }));
    await expect(replica.manager.syncNow("posts")).rejects.toMatchObject({
      code: "PRIMARY_UNAVAILABLE",
      status: 503,
      retryAfterMs: 60_000,
    });
    server.on("*", hostile.text(body, 401, { "content-type": "text/html" }));
    await expect(replica.manager.syncNow("posts")).rejects.toMatchObject({ code: "PRIMARY_REFUSED", status: 401 });
  });

  it("in Latin-1 is a refusal of a forwarded push, which is not sent again", async () => {
    const { server, replica } = await setUp("push_through");
    server.on("/v1/push/posts/doc", hostile.text(LATIN1, 403, { "content-type": "text/html" }));
    server.on("/v1/pull/posts/doc", hostile.text('{"data":{},"hash":"","timestamp":0}'));
    expect((await replica.push("/push/posts/doc", { data: { n: 1 }, baseHash: null })).status).toBe(403);
    expect(server.count("POST")).toBe(1);
  });
});
