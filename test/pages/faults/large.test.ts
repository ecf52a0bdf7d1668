import { createHash } from "node:crypto";
import { createReadStream, statSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import type { PageSyncResult } from "../../../src/pages/page-client.js";
import { buildOnce } from "../../support/build-once.js";
import { spawnNode } from "../../support/child.js";
import { inCi, size } from "../../support/size.js";
import { tempDir } from "../../support/temp-dir.js";
import { issueTokens } from "./issue-tokens.js";
import { startPageProcess } from "./page-process.js";

const MB = 1_000_000;
const SMALL = size({ test: 4, ci: 20 }) * MB;
const LARGE = size({ test: 20, ci: 100, soak: 500 }) * MB;
/** What the hashes of so many more pages may take, a few times over, and what V8 has not thrown away yet. */
const GROWTH = size({ test: 48, ci: 64 }) * MB;
const ROW_BYTES = 20_000;

interface Done extends PageSyncResult {
  readonly peak: number;
  readonly ms: number;
}

function makeLarge(path: string, bytes: number): void {
  const database = new Database(path);
  database.pragma("synchronous = OFF");
  database.pragma("journal_mode = WAL");
  database.exec("CREATE TABLE item (id INTEGER PRIMARY KEY, mark TEXT NOT NULL, body BLOB NOT NULL)");
  database
    .prepare(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) INSERT INTO item SELECT i, '', randomblob(?) FROM n",
    )
    .run(Math.round(bytes / (ROW_BYTES * 1.03)), ROW_BYTES);
  database.close();
}

function change(path: string, sql: string): void {
  const database = new Database(path);
  database.exec(sql);
  database.close();
}

/** All rows, through SQLite, which also finds the file whole. */
function rowsDigest(path: string): string {
  const database = new Database(path, { readonly: true });
  try {
    expect(database.pragma("quick_check", { simple: true })).toBe("ok");
    const hash = createHash("sha1");
    const rows = database.prepare("SELECT id, mark, body FROM item ORDER BY id").raw();
    for (const [id, mark, body] of rows.iterate() as Iterable<[number, string, Buffer]>) {
      hash.update(`${id};${mark};`).update(body);
    }
    return hash.digest("hex");
  } finally {
    database.close();
  }
}

async function bytesDigest(path: string): Promise<string> {
  const hash = createHash("sha1");
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(piece);
  return hash.digest("hex");
}

/**
 * The life of a database of this size: pushed and pulled, and where it is the whole life also changed in one row and shrunk to a tenth. Both ends are the
 * same each time.
 */
async function live(bytes: number, { isWhole }: { readonly isWhole: boolean }) {
  const folder = tempDir();
  const [mine, other] = [join(folder, "mine.db"), join(folder, "other.db")];
  const server = await startPageProcess(tempDir());
  const tokens = await issueTokens(server.origin);
  // What a password took is not what is looked at.
  await server.forgetPeak();
  const entry = await buildOnce("test/pages/faults/sync-once-child.ts");
  const steps: string[] = [];
  let clientPeak = 0;
  const sync = async (direction: "push" | "pull", file: string): Promise<Done> => {
    const child = spawnNode(entry, [direction, server.origin, file], { env: { SYNC_TOKEN: tokens[direction] } });
    const [, json = ""] = await child.waitForLine(/^done (.*)/, 300_000);
    await child.exited;
    const done = JSON.parse(json) as Done;
    clientPeak = Math.max(clientPeak, done.peak);
    steps.push(`${direction} ${done.pagesTransferred} pages ${done.ms} ms ${Math.round(done.peak / MB)} MB`);
    return done;
  };
  makeLarge(mine, bytes);
  const full = statSync(mine).size;
  const end = async () => {
    const serverPeak = await server.peak();
    expect(server.errors).toEqual([]);
    await server.kill();
    process.stdout.write(
      `${Math.round(full / MB)} MB: server ${Math.round(serverPeak / MB)} MB, client ${Math.round(clientPeak / MB)} MB at most; ${steps.join(", ")}\n`,
    );
    return { serverPeak, clientPeak };
  };
  const pushed = await sync("push", mine);
  expect(pushed).toMatchObject({ generation: 1, pageCount: full / 4096, pagesTransferred: full / 4096 });
  expect(await sync("pull", other)).toMatchObject({ generation: 1, pagesTransferred: full / 4096 });
  expect(await bytesDigest(other)).toBe(await bytesDigest(mine));

  if (!isWhole) return await end();
  change(mine, "UPDATE item SET mark = 'x' WHERE id = (SELECT max(id) / 2 FROM item)");
  for (const [direction, file] of [
    ["push", mine],
    ["pull", other],
  ] as const) {
    const { pagesTransferred, bytesSent, bytesReceived } = await sync(direction, file);
    // The row takes five pages.
    expect(pagesTransferred).toBeLessThanOrEqual(8);
    expect(bytesSent + bytesReceived).toBeLessThan(100_000);
  }
  expect(rowsDigest(other)).toBe(rowsDigest(mine));

  change(mine, "DELETE FROM item WHERE id % 10 <> 0; VACUUM");
  await sync("push", mine);
  await sync("pull", other);
  const shrunk = statSync(mine).size;
  expect(shrunk).toBeLessThan(full / 8);
  expect(statSync(other).size).toBe(shrunk);
  expect(rowsDigest(other)).toBe(rowsDigest(mine));
  return await end();
}

describe.runIf(inCi)("a large database", () => {
  it(`of ${LARGE / MB} MB goes both ways, changed and shrunk, in the memory that ${SMALL / MB} MB take`, {
    timeout: size({ test: 60_000, ci: 300_000, soak: 900_000 }),
  }, async () => {
    const small = await live(SMALL, { isWhole: size({ test: 0, ci: 1 }) === 1 });
    const large = await live(LARGE, { isWhole: true });
    expect(large.serverPeak - small.serverPeak).toBeLessThan(GROWTH);
    expect(large.clientPeak - small.clientPeak).toBeLessThan(GROWTH);
  });
});
