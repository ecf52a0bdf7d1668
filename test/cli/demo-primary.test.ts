import { MemoryObjectStore } from "@drakkar.software/starfish-server";
import { describe, expect, it } from "vitest";
import { createReplicaAuth } from "../../src/auth/create-replica-auth.js";
import { createDemoClient } from "../../src/cli/demo/demo-client.js";
import { startDemoPrimary } from "../../src/cli/demo/demo-primary.js";
import { createSseFeed } from "../../src/feeds/sse-feed.js";
import { atEnd } from "../support/at-end.js";
import { startHttpHost } from "../support/http-host.js";
import { waitFor } from "../support/wait.js";

async function startPrimary() {
  const primary = await startDemoPrimary(new MemoryObjectStore(new Map()));
  atEnd(() => primary.stop());
  const auth = await createReplicaAuth({ passphrase: "the demo's primary" });
  return { primary, auth, client: createDemoClient(primary.url, auth.fetch) };
}

describe("the demo's primary", () => {
  it("comes back with its documents where it was", async () => {
    const { primary, client } = await startPrimary();
    await client.push("prices", { bread: 320 }, null);
    await primary.stop();
    await primary.stop();
    expect(primary.running).toBe(false);
    await expect(client.pull("prices")).rejects.toThrow();
    await primary.start();
    await primary.start();
    expect(primary.running).toBe(true);
    expect(await client.pull("prices")).toMatchObject({ status: 200, data: { bread: 320 } });
  });

  it("ends with who listens to its changes, and has them back", async () => {
    const { primary, auth, client } = await startPrimary();
    const events: string[] = [];
    let gaps = 0;
    const feed = createSseFeed({ url: `${primary.url}/changes`, auth, reconnectBaseMs: 10, reconnectCapMs: 50 });
    const handler = { change: ({ key }: { key: string }) => void events.push(key), gap: () => void gaps++ };
    const subscription = feed.subscribe(handler, new AbortController().signal);
    atEnd(() => subscription[Symbol.asyncDispose]());
    await waitFor(() => gaps === 1 && primary.listeners === 1);
    await primary.stop();
    expect(primary.listeners).toBe(0);
    await primary.start();
    await waitFor(() => gaps === 2);
    await client.push("prices", { bread: 330 }, null);
    await waitFor(() => events.length === 1);
    expect(events).toEqual(["prices"]);
  });

  it("says so when somebody else has its port, and comes back when it is free", async () => {
    const { primary } = await startPrimary();
    await primary.stop();
    const port = Number(new URL(primary.url).port);
    const squatter = await startHttpHost((_, response) => response.end(), port);
    await expect(primary.start()).rejects.toThrow(`port ${port} is taken: try again when it is free`);
    expect(primary.running).toBe(false);
    await squatter.stop();
    await primary.start();
    expect(primary.running).toBe(true);
  });
});
