import { describe, expect, it } from "vitest";
import type { ArtifactStore } from "../../../src/exports/artifacts/artifact-store.js";
import { ArtifactReaders } from "../../../src/exports/jobs/artifact-readers.js";
import { deferred } from "../../support/wait.js";

describe("ArtifactReaders", () => {
  it("lets go of a file that is still being opened when all are closed", async () => {
    const asked = deferred();
    const answer = deferred();
    let open = 0;
    const store: Pick<ArtifactStore, "read"> = {
      async *read() {
        open += 1;
        try {
          asked.resolve();
          await answer.promise;
          yield new Uint8Array(1);
        } finally {
          open -= 1;
        }
      },
    };
    const readers = new ArtifactReaders(store as ArtifactStore);
    const opening = readers.open("a.sql", null);
    opening.catch(() => {});
    await asked.promise;
    const closing = readers.closeAll();
    answer.resolve();
    await closing;
    expect(open).toBe(0);
    await expect(opening).rejects.toMatchObject({ code: "STOPPED" });
  });
});
