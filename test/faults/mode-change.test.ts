import { MemoryObjectStore } from "@drakkar.software/starfish-server";
import { describe, expect, it } from "vitest";
import { ReplicaManager } from "../../src/manager/replica-manager.js";
import { hostile } from "../support/hostile.js";
import { startHostileServer } from "../support/hostile-server.js";
import { remote } from "../support/replica.js";

describe("a collection that was bidirectional, then pull_only, then bidirectional again", () => {
  it("does not take what it followed in between for local edits", async () => {
    const server = await startHostileServer();
    const store = new MemoryObjectStore(new Map());
    const manage = (writeMode: "bidirectional" | "pull_only") =>
      new ReplicaManager(store, [
        { name: "posts", storagePath: "posts/doc", remote: remote(server.url, "posts", { writeMode }) },
      ]);
    for (const [mode, document] of [
      ["bidirectional", { a: 1 }],
      ["pull_only", { a: 2, gone: 1 }],
      ["bidirectional", { a: 1, c: 1 }],
    ] as const) {
      server.on("*", hostile.document(document));
      const manager = manage(mode);
      await manager.syncNow("posts");
      await manager.stop();
    }
    // Without a base nobody can tell whether `gone` is an edit: it stays.
    expect(JSON.parse((await store.getString("posts/doc")) ?? "").data).toEqual({ a: 1, c: 1, gone: 1 });
  });
});
