import { describe, expect, it } from "vitest";
import { documentHash } from "../../src/protocol/canonical-json.js";
import { startHostileServer } from "../support/hostile-server.js";
import { dyingStore } from "./dying-store.js";
import { MergeStory } from "./merge-story.js";

describe("a client that knows the primary's document before the replica does", () => {
  it("keeps its edit when the process dies between the document and the base record", async () => {
    const merge = { base: { a: 1, b: 1 }, local: null, remote: { a: 2, b: 1 }, merged: { a: 2, b: 1 }, wiped: {} };
    const story = await MergeStory.start(await startHostileServer(), merge);
    const hash = documentHash(merge.remote);
    const edit = { a: 3, b: 1 };
    let acknowledged = false;
    const dying = dyingStore(story.data, {
      after: 3,
      lost: true,
      onWrite: async (key) => {
        if (key.startsWith("_replica") && dying.writes === 3) acknowledged = await story.store(edit, hash);
      },
    });
    story.restart(dying.store);
    // The host asks the hook just before the sync begins, and stores just after the merge's own write.
    await story.admit(edit, hash);
    await expect(story.sync()).rejects.toMatchObject({ code: "LOCAL_STORE" });
    expect(acknowledged).toBe(true);
    story.restart();
    await story.sync();
    expect(story.document()).toEqual(edit);
  });
});
