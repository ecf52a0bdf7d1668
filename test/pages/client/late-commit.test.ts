import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { PageStore } from "../../../src/pages/store/page-store.js";
import { startTcpProxy } from "../../support/tcp-proxy.js";
import { type Deferred, deferred } from "../../support/wait.js";
import { change, makeFile, rowsOf, startFixture } from "./client-fixture.js";

interface Gate {
  /** The second commit is about to begin. */
  readonly begun: Deferred<void>;
  /** It may. */
  readonly may: Deferred<void>;
}

/** A store whose second commit waits at a gate, and the third for the second. */
function withGate(store: PageStore, { begun, may }: Gate): PageStore {
  const stage = store.stage.bind(store);
  const stored = deferred();
  let commits = 0;
  store.stage = async (...args) => {
    const staging = await stage(...args);
    const commit = staging.commit.bind(staging);
    staging.commit = async () => {
      commits += 1;
      if (commits === 3) await stored.promise;
      if (commits !== 2) return await commit();
      begun.resolve();
      await may.promise;
      const version = await commit();
      stored.resolve();
      return version;
    };
    return staging;
  };
  return store;
}

describe("a push whose connection is lost while the server commits", () => {
  it("is known as our own, though a push of what came later had begun before it was stored", async () => {
    const gate = { begun: deferred(), may: deferred() };
    const { folder, server, push, pull } = await startFixture({ wrapStore: (store) => withGate(store, gate) });
    const file = makeFile(join(folder, "a.db"));
    await push(file);
    const proxy = await startTcpProxy(server.port);
    change(file, "UPDATE item SET mark = 'lost' WHERE id = 7");
    const lost = push(file, { origin: proxy.origin });
    await Promise.all([
      expect(lost).rejects.toMatchObject({ code: "SYNC_UNREACHABLE" }),
      gate.begun.promise.then(() => proxy.cut()),
    ]);

    change(file, "UPDATE item SET mark = 'later' WHERE id = 8");
    // It begins from the generation before, and comes too late. What came first was our own: nobody's work is undone.
    const late = push(file, { tell: ({ phase }) => phase === "transferring" && gate.may.resolve() });
    expect(await late).toMatchObject({ changed: true, generation: 3 });
    const copy = join(folder, "copy.db");
    await pull(copy);
    expect(rowsOf(copy)).toEqual(rowsOf(file));
  });

  it("is nobody else's: what another one pushed meanwhile is not undone, and the push before is not forgotten", async () => {
    const gate = { begun: deferred(), may: deferred() };
    const { folder, server, push, pull } = await startFixture({ wrapStore: (store) => withGate(store, gate) });
    const file = makeFile(join(folder, "a.db"));
    await push(file);
    const other = join(folder, "other.db");
    await pull(other);
    change(other, "UPDATE item SET mark = 'theirs' WHERE id = 9");
    const theirs = push(other);
    await gate.begun.promise;
    change(file, "UPDATE item SET mark = 'mine' WHERE id = 8");
    const mine = push(file, { tell: ({ phase }) => phase === "transferring" && gate.may.resolve() });
    await expect(mine).rejects.toMatchObject({ code: "GENERATION_CONFLICT" });
    expect(await theirs).toMatchObject({ changed: true, generation: 2 });
    await expect(push(file)).rejects.toMatchObject({ code: "GENERATION_CONFLICT" });
    expect(server.commits).toHaveLength(2);
  });
});
