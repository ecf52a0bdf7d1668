import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { ReplicaError } from "../../../src/errors.js";
import { createMemoryFeed } from "../../../src/feeds/memory-feed.js";
import { createSseFeed } from "../../../src/feeds/sse-feed.js";
import { createPageChannel, type PageChannelOptions } from "../../../src/pages/create-page-channel.js";
import { createPageClient } from "../../../src/pages/create-page-client.js";
import { ChannelScheduler } from "../../../src/scheduler/channel-scheduler.js";
import type { Schedule } from "../../../src/scheduler/schedule.js";
import { realDelay } from "../../support/real-time.js";
import { inCi, size } from "../../support/size.js";
import { tempDir } from "../../support/temp-dir.js";
import { waitFor } from "../../support/wait.js";
import { syncHere } from "../client/client-fixture.js";
import { startPageHost } from "../server-facade/page-host.js";
import { announceSeed } from "./announce-seed.js";
import { issueTokens } from "./issue-tokens.js";
import { createNumbered, versionIn, writeNext } from "./numbered-database.js";
import { startPageProcess } from "./page-process.js";
import { seededRandom } from "./seeded-random.js";

const ROUNDS = size({ test: 1, ci: 8, soak: 40 });

type Follower = Pick<PageChannelOptions, "feed"> & { readonly schedule: Schedule };

/** Copies that follow, each a channel of its own, on one scheduler that is stopped when the test ends. */
function follow(origin: string, token: string, followers: Readonly<Record<string, Follower>>) {
  const client = createPageClient({ url: origin });
  onTestFinished(() => client.close());
  const errors: ReplicaError[] = [];
  const folder = tempDir();
  const channels = Object.entries(followers).map(([name, { feed, schedule }]) => ({
    channel: createPageChannel({ name, client, file: join(folder, name), token, ...(feed && { feed }) }),
    schedule,
  }));
  const scheduler = new ChannelScheduler(channels, {
    backOff: { baseMs: 50, capMs: 300 },
    onError: (_name, error) => errors.push(error),
  });
  onTestFinished(() => scheduler.stop());
  return {
    scheduler,
    errors,
    arrived: (version: number) =>
      Promise.all(
        Object.keys(followers).map((name) =>
          waitFor(() => versionIn(join(folder, name)) === version, {
            what: `version ${version} by ${name}`,
            timeoutMs: 60_000,
            everyMs: 25,
          }),
        ),
      ),
  };
}

describe.runIf(inCi)("files that follow a database", () => {
  it("by a clock and by a feed in the same process arrive at the newest version over restarts of the server", {
    timeout: 60_000 + ROUNDS * 20_000,
  }, async () => {
    const feed = createMemoryFeed();
    const host = await startPageHost({ feed });
    const ann = await host.user("ann@example.com");
    const { id } = await ann.admin.createDatabase({ name: "shop" });
    const push = await ann.token(id, "push");
    const source = createNumbered(join(tempDir(), "source.db"), { rows: 100 });
    const pushed = () => syncHere("push", source, { origin: host.origin, token: push });
    await pushed();
    const { scheduler, arrived, errors } = follow(host.origin, await ann.token(id, "pull"), {
      polling: { schedule: { triggers: ["scheduled"], intervalMs: 1_000 } },
      told: { schedule: { triggers: ["on_change"] }, feed },
    });
    await scheduler.start();
    await arrived(0);
    for (let round = 1; round <= ROUNDS; round += 1) {
      const version = writeNext(source, seededRandom(round));
      await host.server.stop();
      await expect(pushed()).rejects.toMatchObject({ retryable: true });
      await host.server.start();
      await pushed();
      await arrived(version);
    }
    for (const error of errors) expect(error).toMatchObject({ retryable: true });
    expect(host.errors).toEqual([]);
  });

  it("by a clock and over SSE arrive at the newest version, whenever the server is killed", {
    timeout: 60_000 + ROUNDS * 20_000,
  }, async () => {
    const random = announceSeed(`pages, ${ROUNDS} kills of a server that is followed`);
    const server = await startPageProcess(tempDir());
    const { push, pull } = await issueTokens(server.origin);
    const source = createNumbered(join(tempDir(), "source.db"), { rows: 1_000 });
    const pushed = () => syncHere("push", source, { origin: server.origin, token: push });
    await pushed();
    const feed = createSseFeed({ url: `${server.origin}/v1/changes`, reconnectBaseMs: 50, reconnectCapMs: 200 });
    const { scheduler, arrived, errors } = follow(server.origin, pull, {
      polling: { schedule: { triggers: ["scheduled"], intervalMs: 1_000 } },
      told: { schedule: { triggers: ["on_change"] }, feed },
    });
    await scheduler.start();
    await arrived(0);
    for (let round = 1; round <= ROUNDS; round += 1) {
      const version = writeNext(source, random);
      const underWay = pushed().catch((error: ReplicaError) => error);
      await realDelay(random() * 150);
      await server.kill();
      expect([round, await underWay]).toEqual([
        round,
        expect.toSatisfy((end: unknown) => !(end instanceof Error) || (end as ReplicaError).retryable),
      ]);
      await server.restart();
      await pushed();
      await arrived(version);
    }
    for (const error of errors) expect(error).toMatchObject({ retryable: true });
    expect(server.errors).toEqual([]);
  });
});
