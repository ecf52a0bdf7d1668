import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createPageClient } from "../../../src/pages/create-page-client.js";
import type { PageClientOptions, PageSyncRequest } from "../../../src/pages/page-client.js";
import { buildOnce } from "../../support/build-once.js";
import { spawnNode } from "../../support/child.js";
import { expectProcessEnds } from "../../support/open-handles.js";
import { startTcpProxy } from "../../support/tcp-proxy.js";
import { tempDir } from "../../support/temp-dir.js";
import { waitFor } from "../../support/wait.js";
import { leftBeside, makeFile, rowsOf, startFixture } from "./client-fixture.js";

const CHILD = "test/pages/client/client-child.ts";

describe("createPageClient", () => {
  it("names all that is wrong with its options at once", () => {
    const options = { url: "ftp://u:p@h/?x", idleSecond: 1, idleSeconds: -1 } as unknown as PageClientOptions;
    expect(() => createPageClient(options)).toThrow(
      /unknown option "idleSecond": did you mean "idleSeconds"[\s\S]*url[\s\S]*idleSeconds/,
    );
    for (const url of [undefined, "", "sync.example.com", "http://user:secret@host", "http://host/?token=secret"]) {
      const create = () => createPageClient({ url } as PageClientOptions);
      expect(create).toThrow(/url must/);
      expect(create).not.toThrow(/secret/);
    }
    expect(() => createPageClient(null as unknown as PageClientOptions)).toThrow("must be an object");
  });

  it("names all that is wrong with what it is asked at once, and no token", async () => {
    const client = createPageClient({ url: "http://127.0.0.1:9" });
    const request = { file: ":memory:", token: "two words", force: 1, chek: true } as unknown as PageSyncRequest;
    const error = await client.pull(request).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "INVALID_CONFIGURATION", mistakes: expect.any(Array) });
    expect((error as { mistakes: string[] }).mistakes).toHaveLength(4);
    expect(String(error)).not.toContain("two words");
    for (const file of ["", "a\0b", "file:a.db", "https://example.com/a.db", 7]) {
      await expect(client.push({ file, token: "t" } as PageSyncRequest)).rejects.toThrow(/file must/);
    }
    await expect(client.push(undefined as unknown as PageSyncRequest)).rejects.toThrow("push takes an object");
    await client.close();
  });

  it("ends a sync whose signal aborts, with its reason, and leaves nothing of it", async () => {
    const { folder, server, push } = await startFixture();
    await push(makeFile(join(folder, "a.db"), { rows: 4_000 }));
    const proxy = await startTcpProxy(server.port);
    proxy.drip(100_000, 50);
    const client = createPageClient({ url: proxy.origin });
    const file = makeFile(join(folder, "b.db"), { rows: 4 });
    const abort = new AbortController();
    const reason = new Error("enough");
    const pulling = client.pull(
      { file, token: server.token("pull"), onProgress: ({ phase }) => phase === "transferring" && abort.abort(reason) },
      abort.signal,
    );
    await expect(pulling).rejects.toBe(reason);
    expect(rowsOf(file)).toHaveLength(4);
    expect(leftBeside(file)).toEqual([]);
    await expect(client.pull({ file, token: "t" }, abort.signal)).rejects.toBe(reason);
    const second = client.pull({ file, token: server.token("pull") });
    await Promise.all([expect(second).rejects.toMatchObject({ code: "STOPPED" }), client.close()]);
    await expect(client.pull({ file, token: "t" })).rejects.toMatchObject({ code: "STOPPED" });
    expect(leftBeside(file)).toEqual([]);
    await waitFor(() => server.endpoint.active === 0);
  });

  it("leaves no handle, and its process ends with it", async () => {
    const { folder, server } = await startFixture();
    const file = makeFile(join(folder, "a.db"));
    const origin = `http://127.0.0.1:${server.port}`;
    await expectProcessEnds(CHILD, { args: [origin, file], env: { SYNC_TOKEN: server.token("push") } });
    expect(server.commits).toHaveLength(1);
  });

  it("whose process is killed in the middle leaves the sync to end by itself, and what it left to the next", async () => {
    const { folder, server, push, client } = await startFixture();
    await push(makeFile(join(folder, "a.db"), { rows: 4_000 }));
    const proxy = await startTcpProxy(server.port);
    proxy.drip(50_000, 50);
    const file = join(folder, "b.db");
    const child = spawnNode(await buildOnce(CHILD), [proxy.origin, file, "pull"], {
      env: { SYNC_TOKEN: server.token("pull") },
    });
    await child.waitForLine(/transferring/);
    await child.kill();
    // The lock goes with the process that held it.
    const token = server.token("pull");
    await waitFor(() => client.pull({ file, token }).then(() => true), { timeoutMs: 15_000, everyMs: 200 });
    expect(rowsOf(file)).toHaveLength(4_000);
    expect(leftBeside(file)).toEqual([]);
    expect(readdirSync(folder).filter((name) => name.startsWith("."))).toEqual([]);
  });

  it("gives the token on no command line and in no environment", async () => {
    const { folder, server, push, client } = await startFixture();
    await push(makeFile(join(folder, "a.db"), { rows: 4_000 }));
    const token = server.token("pull");
    const seen: string[] = [];
    await client.pull({
      file: join(tempDir(), "b.db"),
      token,
      onProgress() {
        if (seen.length === 0) seen.push(...commandLines());
      },
    });
    if (process.platform === "linux") expect(seen.some((line) => line.includes("pages/client/main.js"))).toBe(true);
    expect(seen.join("\n")).not.toContain(token);
  });
});

/** Arguments and environment of all processes of ours that run the sync. */
function commandLines(): string[] {
  if (process.platform !== "linux") return [];
  const found: string[] = [];
  for (const pid of readdirSync("/proc")) {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, "latin1");
      if (!/^\d+$/.test(pid) || !line.includes("pages/client/main.js")) continue;
      found.push(line, readFileSync(`/proc/${pid}/environ`, "latin1"));
    } catch {
      // It has ended, or is no process.
    }
  }
  return found;
}
