import { describe, expect, it } from "vitest";
import { documentHash } from "../../src/protocol/canonical-json.js";
import { hostile } from "../support/hostile.js";
import { startHostileServer } from "../support/hostile-server.js";
import { waitFor } from "../support/wait.js";
import { localData, outbox, startOutbox, write } from "./outbox-setup.js";

describe("a primary that adds something to what it is sent", () => {
  it("is merged in, and the push counts as sent", async () => {
    const server = await startHostileServer();
    server.on("/v1/pull/posts/doc", hostile.document({ a: 1 }));
    server.on("/v1/push/posts/doc", (request, response) => {
      const data = { ...JSON.parse(server.received.at(-1)?.body ?? "{}").data, stamped: true };
      server.on("/v1/pull/posts/doc", hostile.document(data));
      return hostile.status(200, {}, { hash: documentHash(data), timestamp: 1 })(request, response);
    });
    const replica = await startOutbox({ url: server.url });
    replica.manager.start();
    await replica.manager.syncNow("posts");
    await write(replica, { b: 1 });
    await waitFor(async () => (await localData(replica)).stamped === true);
    await waitFor(() => outbox(replica).pendingSince === null);
    expect(await localData(replica)).toEqual({ a: 1, b: 1, stamped: true });
    expect(outbox(replica)).toMatchObject({ sent: 1, consecutiveFailures: 0, state: "idle" });
  });
});
