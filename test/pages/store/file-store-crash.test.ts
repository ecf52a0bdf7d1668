import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { createFilePageStore } from "../../../src/pages/store/file-page-store.js";
import { buildOnce } from "../../support/build-once.js";
import { spawnNode } from "../../support/child.js";
import { realDelay } from "../../support/real-time.js";
import { size } from "../../support/size.js";
import { tempDir } from "../../support/temp-dir.js";
import { changedFile, hashOf, push, sqliteFile, storedContent } from "./store-fixture.js";

const ROUNDS = size({ test: 3, ci: 10, soak: 100 });

describe("a page store whose process is killed", () => {
  it(`has the old or the new version, whole, after each of ${ROUNDS} kills`, {
    timeout: 20_000 + ROUNDS * 5_000,
  }, async () => {
    const dir = tempDir();
    const small = sqliteFile({ mark: "small", rows: 2000 });
    // One page changed, much more, all others: each way of a commit.
    const versions = [small, changedFile(small, "changed"), sqliteFile({ mark: "large", rows: 6000 })];
    const files = versions.map((bytes, at) => {
      const path = join(dir, `version-${at}`);
      writeFileSync(path, bytes);
      return path;
    });
    const hashes = versions.map((bytes) => Buffer.from(hashOf(bytes)).toString("hex"));
    const child = await buildOnce("test/pages/store/committing-child.ts");
    let last = { generation: 0, version: -1 };
    for (let round = 0; round < ROUNDS; round += 1) {
      const running = spawnNode(child, [dir, ...files]);
      await running.waitForLine(/^committed/);
      await running.waitForLine(round % 3 === 0 ? /^push/ : /^committing/);
      await realDelay(Math.random() * 30);
      await running.kill();
      for (const line of running.lines) {
        const [, generation, version] = /^committed (\d+) of (\d)/.exec(line) ?? [];
        if (generation !== undefined) last = { generation: Number(generation), version: Number(version) };
      }

      const store = createFilePageStore({ dir });
      await store.open();
      const version = await store.read("db1");
      const found = hashes.indexOf(Buffer.from(hashOf(await version.read(1, version.pageCount))).toString("hex"));
      await version.close();
      const what = `round ${round}: version ${found} as generation ${version.generation} after ${JSON.stringify(last)}`;
      expect(found, what).toBeGreaterThanOrEqual(0);
      if (version.generation === last.generation) expect(found, what).toBe(last.version);
      else
        expect({ generation: version.generation, version: found }, what).toEqual({
          generation: last.generation + 1,
          version: (last.version + 1) % 3,
        });
      const names = readdirSync(join(dir, "databases", "db1")).sort();
      expect(names).toEqual([`${version.generation}.db`, `${version.generation}.hashes`]);
      const database = new Database(join(dir, "databases", "db1.db"), { readonly: true });
      expect(database.pragma("integrity_check", { simple: true })).toBe("ok");
      database.close();

      const next = changedFile(small, `after round ${round}`);
      await push(store, "db1", next);
      expect(hashOf(await storedContent(store, "db1"))).toEqual(hashOf(next));
      await store.close();
    }
  });
});
