import { copyFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import type { ReplicaError } from "../../../src/errors.js";
import type { PageSyncResult } from "../../../src/pages/page-client.js";
import { realDelay } from "../../support/real-time.js";
import { size } from "../../support/size.js";
import { tempDir } from "../../support/temp-dir.js";
import { syncHere } from "../client/client-fixture.js";
import { startPageHost } from "../server-facade/page-host.js";
import { announceSeed } from "./announce-seed.js";
import { createNumbered, versionIn, writeNext } from "./numbered-database.js";
import { pick } from "./seeded-random.js";

const ROUNDS = size({ test: 5, ci: 100, soak: 200 });

type Way = "both" | "first forced" | "both forced" | "same";

describe("two who push from one generation at once", () => {
  it(`make one generation for each that wins, and mix nothing, ${ROUNDS} times`, {
    timeout: 60_000 + ROUNDS * 2_000,
  }, async () => {
    const random = announceSeed(`pages, ${ROUNDS} races of pushes`);
    const host = await startPageHost();
    const ann = await host.user("ann@example.com");
    const { id } = await ann.admin.createDatabase({ name: "shop" });
    const [push, pull] = [await ann.token(id, "push"), await ann.token(id, "pull")];
    const folder = tempDir();
    const files = [join(folder, "one.db"), join(folder, "two.db")] as const;
    const { origin } = host;
    createNumbered(files[0], { rows: 300 });
    let { generation: current } = await syncHere("push", files[0], { origin, token: push });
    const ends: Record<string, number> = {};

    for (let round = 1; round <= ROUNDS; round += 1) {
      const way: Way = pick(random, "both", "first forced", "both forced", "same");
      for (const file of files) {
        await syncHere("pull", file, { origin, token: pull, force: true });
        if (way !== "same" || file === files[0]) writeNext(file, random);
      }
      if (way === "same") takeOver(...files);
      const wanted = files.map((file) => contentOf(file));
      // Some so much later that the first may have won by then.
      const later = random() * (random() < 0.3 ? 300 : 20);
      const results = await Promise.allSettled(
        files.map(async (file, at) => {
          if (at === 1) await realDelay(later);
          return await syncHere("push", file, {
            origin,
            token: push,
            force: way === "both forced" || (way === "first forced" && at === 0),
          });
        }),
      );
      const what = `round ${round}, ${way}: ${results.map(tell).join(" | ")}`;
      const won = results.flatMap((result, at) =>
        result.status === "fulfilled" ? [{ at, generation: result.value.generation ?? 0 }] : [],
      );
      for (const result of results) {
        if (result.status === "rejected") expect(result.reason, what).toMatchObject({ code: "GENERATION_CONFLICT" });
      }
      const made = [...new Set(won.map(({ generation }) => generation))].sort((a, b) => a - b);
      expect(made, what).toEqual(made.map((_, at) => (current ?? 0) + 1 + at));
      if (way === "both") expect(won, what).toHaveLength(1);
      if (way === "same") expect([won.length, made.length], what).toEqual([2, 1]);
      else expect(made, what).toHaveLength(won.length);
      expect(won.length, what).toBeGreaterThan(0);
      current = made.at(-1) ?? current;

      // What is stored is what the last winner pushed, to the last row; who lost has what he had.
      const winner = won.find(({ generation }) => generation === current)?.at ?? 0;
      const stored = (await host.server.databaseFile(id)) ?? "";
      expect(contentOf(stored), what).toBe(wanted[winner]);
      expect(files.map(contentOf), what).toEqual(wanted);
      versionIn(files[0]);
      const end = `${way}: ${won.length} won`;
      ends[end] = (ends[end] ?? 0) + 1;
    }
    expect(host.errors).toEqual([]);
    process.stdout.write(`${JSON.stringify(ends)}\n`);
  });
});

/** The second file becomes what the first one is, and goes on coming from the same generation. */
function takeOver(first: string, second: string): void {
  copyFileSync(first, second);
}

/** All rows of a file, which is one whole version. */
function contentOf(file: string): string {
  const database = new Database(file, { readonly: true });
  try {
    expect(database.pragma("integrity_check", { simple: true })).toBe("ok");
    return database.prepare("SELECT digest FROM sum").pluck().get() as string;
  } finally {
    database.close();
  }
}

function tell(result: PromiseSettledResult<PageSyncResult>): string {
  if (result.status === "fulfilled") return `generation ${result.value.generation}`;
  return (result.reason as ReplicaError).message;
}
