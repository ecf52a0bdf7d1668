import { beforeAll, describe, expect, it } from "vitest";
import { type HostileServer, startHostileServer } from "../support/hostile-server.js";
import { inCi } from "../support/size.js";
import { dyingStore } from "./dying-store.js";
import { MergeStory } from "./merge-story.js";
import { type Document, type Merge, merges } from "./merge-table.js";

/** What happens between the crash and the next good sync. `begun`: the merge had left something behind that says so. */
interface Aftermath {
  readonly happens: (story: MergeStory, begun: boolean) => Promise<void>;
  readonly expected: (merge: Merge, begun: boolean) => Document;
}

const aftermaths: Readonly<Record<string, Aftermath>> = {
  "the primary is as it was": { happens: async () => {}, expected: ({ merged }) => merged },
  "the primary cannot be asked at first": {
    async happens(story, begun) {
      story.primaryRefuses();
      await expect(story.sync()).rejects.toMatchObject({ code: "PRIMARY_REFUSED" });
      expect(story.document()).toEqual(begun ? story.merge.merged : story.merge.local);
      story.primaryHas(story.merge.remote);
    },
    expected: ({ merged }) => merged,
  },
  "the primary has changed again": {
    happens: async (story) => story.primaryHas({ ...story.merge.remote, again: 1 }),
    expected: ({ merged }) => ({ ...merged, again: 1 }),
  },
  "a client writes before any sync": {
    happens: (story) => story.clientWrites((data) => ({ ...data, written: 1 })),
    expected: ({ merged }) => ({ ...merged, written: 1 }),
  },
  "a client replaces all that it sees": {
    happens: (story) => story.clientWrites(() => ({ left: 1 })),
    expected: ({ wiped }, begun) => (begun ? { left: 1 } : wiped),
  },
  "a client writes, and the primary has changed again": {
    async happens(story) {
      story.primaryHas({ ...story.merge.remote, again: 1 });
      await story.clientWrites((data) => ({ ...data, written: 1 }));
    },
    expected: ({ merged }) => ({ ...merged, again: 1, written: 1 }),
  },
};

let server: HostileServer;
beforeAll(async () => {
  server = await startHostileServer();
});

/** How many writes the merge takes when nothing goes wrong. */
async function countWrites(merge: Merge): Promise<number> {
  const story = await MergeStory.start(server, merge);
  const counted = dyingStore(story.data);
  story.restart(counted.store);
  await story.sync();
  expect(story.document()).toEqual(merge.merged);
  await story.stop();
  return counted.writes;
}

async function play(merge: Merge, aftermath: Aftermath, after: number, lost: boolean, how: "crash" | "error") {
  const story = await MergeStory.start(server, merge);
  const dying = dyingStore(story.data, { after, lost, how });
  story.restart(dying.store);
  await expect(story.sync()).rejects.toMatchObject({ code: "LOCAL_STORE" });
  if (how === "crash") story.restart();
  const begun = after - (lost ? 1 : 0) > 0;
  await aftermath.happens(story, begun);
  await story.sync();
  const end = story.document();
  await story.sync();
  expect(story.document()).toEqual(end);
  await story.stop();
  return { end, expected: aftermath.expected(merge, begun) };
}

describe.each(Object.entries(merges))("a merge where %s", (_merge, merge) => {
  describe.each([
    ["when the process dies after", "crash", false],
    ["when the process dies before", "crash", true],
    ["when the store fails after", "error", false],
    ["when the store fails before", "error", true],
  ] as const)("%s any of its writes", (_when, how, lost) => {
    it.each(Object.entries(aftermaths).filter((_, i) => inCi || i % 2 === 0))(
      "ends as if nothing had been: %s",
      async (_after, aftermath) => {
        const writes = await countWrites(merge);
        expect(writes).toBeGreaterThan(0);
        for (let after = 1; after <= writes; after++) {
          const { end, expected } = await play(merge, aftermath, after, lost, how);
          expect(end, `write ${after} of ${writes}`).toEqual(expected);
        }
      },
    );
  });
});

describe("a merge whose recovery dies too", () => {
  it("ends as if nothing had been, however often", async () => {
    const merge = merges["each side deleted something"] as Merge;
    const story = await MergeStory.start(server, merge);
    story.restart(dyingStore(story.data, { after: 1 }).store);
    await expect(story.sync()).rejects.toMatchObject({ code: "LOCAL_STORE" });
    for (const lost of [true, false, true, false]) {
      story.restart(dyingStore(story.data, { after: 1, lost }).store);
      await expect(story.admit({ mine: 1 }, null)).rejects.toThrow("503");
    }
    story.restart();
    await story.clientWrites((data) => ({ ...data, written: 1 }));
    await story.sync();
    expect(story.document()).toEqual({ ...merge.merged, written: 1 });
    await story.stop();
  });
});
