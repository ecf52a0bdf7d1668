import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { ReplicaError } from "../../../src/errors.js";
import { createMemoryFeed } from "../../../src/feeds/memory-feed.js";
import { createSseFeed } from "../../../src/feeds/sse-feed.js";
import { createPageChannel, type PageChannelOptions } from "../../../src/pages/create-page-channel.js";
import { ChannelScheduler } from "../../../src/scheduler/channel-scheduler.js";
import type { Schedule } from "../../../src/scheduler/schedule.js";
import { startChangesHost } from "../../feeds/changes-host.js";
import { readRaw } from "../../feeds/raw-reader.js";
import { collection } from "../../support/collection.js";
import { startTcpProxy } from "../../support/tcp-proxy.js";
import { tempDir } from "../../support/temp-dir.js";
import { waitFor } from "../../support/wait.js";
import { type ClientFixture, change, makeFile, rowsOf, startFixture } from "../client/client-fixture.js";
import { startPageHost } from "../server-facade/page-host.js";

/** A channel on a scheduler that is stopped when the test ends. */
function follow(fixture: ClientFixture, schedule: Schedule, options: Partial<PageChannelOptions> = {}) {
  const file = join(fixture.folder, "copy.db");
  const errors: ReplicaError[] = [];
  const channel = createPageChannel({
    name: "shop",
    client: fixture.client,
    file,
    token: fixture.server.token("pull"),
    ...options,
  });
  const scheduler = new ChannelScheduler([{ channel, schedule }], { onError: (_name, error) => errors.push(error) });
  onTestFinished(() => scheduler.stop());
  const marked = (mark: string) =>
    waitFor(() => (rowsOf(file)[0] as unknown[])[1] === mark, { what: `the mark ${mark}`, timeoutMs: 15_000 });
  return { file, scheduler, marked, errors, status: () => scheduler.status()[0] };
}

const mark = (file: string, text: string) => change(file, `UPDATE item SET mark = '${text}' WHERE id = 1`);

/** What a page server says of a commit. */
const commit = (database: string, hash = "00") => ({
  collection: database,
  namespace: "pages",
  key: `pages/${database}`,
  hash,
  timestamp: Date.now(),
});

describe("a page channel", () => {
  it("pulls by the clock, and counts pages and bytes", async () => {
    const fixture = await startFixture();
    const source = makeFile(join(fixture.folder, "source.db"), { rows: 20 });
    await fixture.push(source);
    const { scheduler, file, marked, status } = follow(fixture, { triggers: ["scheduled"], intervalMs: 50 });
    await scheduler.start();
    await waitFor(() => rowsOf(file).length === 20, { timeoutMs: 15_000 });
    mark(source, "later");
    const { pageCount } = await fixture.push(source);
    await marked("later");
    await scheduler.syncNow("shop");
    // All pages at first, then page 1 and the one with the row: how many bytes that is at least.
    expect(status()).toMatchObject({ items: pageCount + 2, lastError: null });
    expect(status()?.bytes).toBeGreaterThan((pageCount + 2) * 4096);
  });

  it("pulls when the local copy is read", async () => {
    const fixture = await startFixture();
    const source = makeFile(join(fixture.folder, "source.db"), { rows: 20 });
    await fixture.push(source);
    const { scheduler, file } = follow(fixture, { triggers: ["on_pull"], onPullMaxWaitMs: 15_000 });
    await scheduler.start();
    await waitFor(() => rowsOf(file).length === 20, { timeoutMs: 15_000 });
    mark(source, "read me");
    await fixture.push(source);
    await scheduler.onPull("shop");
    expect(rowsOf(file)[0]).toContain("read me");
  });

  it("pulls when the server commits, told by a feed, and not for another database", async () => {
    const feed = createMemoryFeed();
    const fixture = await startFixture({
      parts: { onCommit: ({ databaseId }) => void feed.publish(commit(databaseId)) },
    });
    const source = makeFile(join(fixture.folder, "source.db"), { rows: 20 });
    await fixture.push(source);
    let tokens = 0;
    const token = async () => {
      tokens += 1;
      return fixture.server.token("pull");
    };
    const { scheduler, marked, file } = follow(fixture, { triggers: ["on_change"] }, { feed, token });
    await scheduler.start();
    await waitFor(() => rowsOf(file).length === 20, { timeoutMs: 15_000 });
    mark(source, "changed");
    await fixture.push(source);
    await marked("changed");
    await scheduler.syncNow("shop");
    const before = tokens;
    await feed.publish(commit("d-2"));
    await feed.publish({ ...commit("d-1"), namespace: null });
    mark(source, "again");
    await fixture.push(source);
    await marked("again");
    expect(tokens).toBe(before + 1);
  });

  it("follows a server elsewhere over SSE, for readers that may hear of commits", async () => {
    const host = await startChangesHost({
      collections: [collection("posts", { readRoles: ["reader"] })],
      pages: { readRoles: ["syncer"] },
    });
    const fixture = await startFixture({
      parts: {
        onCommit: ({ databaseId, rootHash }) =>
          void host.changes.publish(commit(databaseId, Buffer.from(rootHash).toString("hex"))),
      },
    });
    const source = makeFile(join(fixture.folder, "source.db"), { rows: 20 });
    await fixture.push(source);
    const feed = createSseFeed({ url: host.changesUrl, headers: { authorization: "Bearer sam:syncer" } });
    const other = await readRaw(host.changesUrl, { authorization: "Bearer rita:reader,writer" });
    const { scheduler, marked, file } = follow(fixture, { triggers: ["on_change"] }, { feed, database: "d-1" });
    await scheduler.start();
    await waitFor(() => rowsOf(file).length === 20 && host.changes.subscribers === 2, { timeoutMs: 15_000 });
    mark(source, "over the wire");
    await fixture.push(source);
    await marked("over the wire");
    // Who may read posts hears of those, and of no database.
    const { hash } = await host.push("posts/doc", { headers: { authorization: "Bearer w:writer" } });
    await other.heard(hash);
    expect(other.hashes).toEqual([hash]);
  });

  it("follows a whole page server by what that announces, with tokens that it gives out", async () => {
    const feed = createMemoryFeed();
    const host = await startPageHost({ feed });
    const user = await host.user("ann@example.com");
    const { id } = await user.admin.createDatabase({ name: "shop" });
    const source = makeFile(join(tempDir(), "source.db"), { rows: 20 });
    await host.client.push({ file: source, token: await user.token(id, "push") });
    const file = join(tempDir(), "copy.db");
    const channel = createPageChannel({
      name: "shop",
      client: host.client,
      file,
      token: () => user.token(id, "pull"),
      feed,
    });
    const scheduler = new ChannelScheduler([{ channel, schedule: { triggers: ["on_change"] } }]);
    onTestFinished(() => scheduler.stop());
    await scheduler.start();
    await waitFor(() => rowsOf(file).length === 20, { timeoutMs: 15_000 });
    mark(source, "announced");
    await host.client.push({ file: source, token: await user.token(id, "push") });
    await waitFor(() => (rowsOf(file)[0] as unknown[])[1] === "announced", { timeoutMs: 15_000 });
  });

  it("is announced to nobody over SSE where nobody was named", async () => {
    const host = await startChangesHost({ collections: [collection("posts", { readRoles: ["reader"] })] });
    const reader = await readRaw(host.changesUrl, { authorization: "Bearer rita:reader,syncer" });
    await host.changes.publish(commit("d-1"));
    const { hash } = await host.push("posts/doc", { headers: { authorization: "Bearer w:writer" } });
    await reader.heard(hash);
    expect(reader.hashes).toEqual([hash]);
    const pages = { readRoles: [] };
    await expect(startChangesHost({ pages })).rejects.toThrow("pages must be { readRoles");
  });

  it("tells what fails, and goes on where it was when it is over", async () => {
    const fixture = await startFixture();
    const source = makeFile(join(fixture.folder, "source.db"), { rows: 20 });
    await fixture.push(source);
    const proxy = await startTcpProxy(fixture.server.port);
    await proxy.refuse();
    const { createPageClient } = await import("../../../src/pages/create-page-client.js");
    const client = createPageClient({ url: proxy.origin });
    onTestFinished(() => client.close());
    const { scheduler, errors, file } = follow(fixture, { triggers: ["scheduled"], intervalMs: 50 }, { client });
    await scheduler.start();
    await waitFor(() => errors.length > 0, { timeoutMs: 15_000 });
    expect(errors[0]).toMatchObject({ code: "SYNC_UNREACHABLE" });
    await proxy.pass();
    await scheduler.syncNow("shop").catch(() => {});
    await waitFor(() => rowsOf(file).length === 20, { timeoutMs: 15_000 });
  });

  it("names all that is wrong with its options at once", () => {
    const options = {
      name: "",
      file: "",
      token: "",
      feed: {},
      database: 7,
      froce: true,
    } as unknown as PageChannelOptions;
    const error = (() => {
      try {
        createPageChannel(options);
      } catch (thrown) {
        return thrown as { code: string; mistakes: string[] };
      }
      return null;
    })();
    expect(error).toMatchObject({ code: "INVALID_CONFIGURATION" });
    expect(error?.mistakes).toHaveLength(7);
  });
});
