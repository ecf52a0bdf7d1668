import { describe, expect, it } from "vitest";
import { edit, localData, outbox, startOutbox, writeThere } from "../outbox/outbox-setup.js";
import { startPrimary } from "../support/primary.js";
import { startTcpProxy } from "../support/tcp-proxy.js";
import { waitFor } from "../support/wait.js";

describe("a primary that cannot be reached for a while, from three replicas with clients", () => {
  it("has every write of everybody afterwards, removals included, and so have they", { timeout: 60_000 }, async () => {
    const primary = await startPrimary();
    const line = await startTcpProxy(primary.port);
    const replicas = await Promise.all([0, 1, 2].map(() => startOutbox({ url: `${line.origin}/v1` })));
    const old = Object.fromEntries([0, 1, 2, 3].map((i) => [`old${i}`, i]));
    await primary.write("posts", { ...old, tree: { shared: 0, r0: { x: 0 }, r1: { x: 0 }, r2: { x: 0 } } });
    for (const replica of replicas) {
      replica.manager.start();
      await waitFor(async () => (await localData(replica)).old3 === 3);
    }
    await line.refuse();
    await Promise.all(
      replicas.map(async (replica, r) => {
        for (let n = 0; n < 15; n++) {
          await edit(replica, (data) => {
            const { [`old${r}`]: _gone, ...rest } = data;
            const tree = data.tree as Record<string, unknown>;
            return { ...rest, [`r${r}n${n}`]: n, tree: { ...tree, shared: `${r}:${n}`, [`r${r}`]: { y: n } } };
          });
        }
      }),
    );
    await writeThere(primary, { there: 1, old3: "changed" });
    expect(primary.pushes).toHaveLength(1);
    expect(replicas.map((replica) => outbox(replica).pendingSince)).not.toContain(null);
    await line.pass();
    await waitFor(
      async () => {
        for (const replica of replicas) await replica.manager.syncNow("posts").catch(() => {});
        const { hash } = await primary.read("posts");
        const shown = await Promise.all(replicas.map((replica) => replica.get("/pull/posts/doc")));
        const quiet = replicas.every((replica) => outbox(replica).pendingSince === null);
        return quiet && shown.every(({ body }) => body.hash === hash);
      },
      { timeoutMs: 20_000 },
    );
    const { tree, ...top } = (await primary.read("posts")).data as { tree: Record<string, unknown> };
    const written = [0, 1, 2].flatMap((r) => Array.from({ length: 15 }, (_, n) => [`r${r}n${n}`, n]));
    expect(top).toEqual({ old3: "changed", there: 1, ...Object.fromEntries(written) });
    expect(tree).toMatchObject({ r0: { y: 14 }, r1: { y: 14 }, r2: { y: 14 } });
    expect(["0:14", "1:14", "2:14"]).toContain(tree.shared);
    for (const r of [0, 1, 2]) expect(tree[`r${r}`]).toEqual({ y: 14 });
  });
});
