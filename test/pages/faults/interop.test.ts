import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { atEnd } from "../../support/at-end.js";
import { realDelay } from "../../support/real-time.js";
import { inCi, size } from "../../support/size.js";
import { tempDir } from "../../support/temp-dir.js";
import { change, makeFile, rowsOf, syncHere } from "../client/client-fixture.js";
import * as plain from "../plain/plain-client.js";
import { startPlainServer } from "../plain/plain-server.js";
import { startPageHost } from "../server-facade/page-host.js";

const ROUNDS = size({ test: 3, ci: 20, soak: 200 });
const ALL_PAGE_SIZES = [512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536];
/** Some of them in short runs. */
const PAGE_SIZES = ALL_PAGE_SIZES.filter((_, at) => at % size({ test: 3, ci: 1 }) === 0 || at === 7);

async function start() {
  const host = await startPageHost();
  const ann = await host.user("ann@example.com");
  const folder = tempDir();
  const url = `${host.origin.replace("http", "ws")}/sync`;
  return {
    host,
    at: (name: string) => join(folder, name),
    async database(name: string) {
      const { id } = await ann.admin.createDatabase({ name });
      const [push, pull] = [await ann.token(id, "push"), await ann.token(id, "pull")];
      return {
        ours: {
          push: (file: string, force = false) => syncHere("push", file, { origin: host.origin, token: push, force }),
          pull: (file: string) => syncHere("pull", file, { origin: host.origin, token: pull }),
        },
        plain: {
          push: (file: string) => plain.push(url, push, readFileSync(file)),
          /** As an original client's user has it: what it got is cut by nobody. */
          async pull(file: string, have: Uint8Array = new Uint8Array()) {
            const result = await plain.pull(url, pull, have);
            writeFileSync(file, result.bytes);
            return result;
          },
        },
        stored: async () => readFileSync((await host.server.databaseFile(id)) ?? ""),
      };
    },
  };
}

describe("an original client and ours at one database", () => {
  it("take turns, whatever the page size", { timeout: 60_000 }, async () => {
    const { host, at, database } = await start();
    for (const pageSize of PAGE_SIZES) {
      const { ours, plain: theirs, stored } = await database(`pages of ${pageSize}`);
      const [mine, other] = [at(`mine-${pageSize}.db`), at(`other-${pageSize}.db`)];
      // 61 rows: with small pages the file is no multiple of the 4096 bytes that the original counts in.
      makeFile(other, { pageSize, rows: 61 });
      await theirs.push(other);
      expect((await stored()).equals(readFileSync(other)), `${pageSize}`).toBe(true);

      expect(await ours.pull(mine)).toMatchObject({ changed: true, generation: 1, pageSize });
      expect(readFileSync(mine).equals(readFileSync(other))).toBe(true);
      change(mine, "UPDATE item SET mark = 'ours' WHERE id = 30");
      const { pagesTransferred } = await ours.push(mine);
      // A row may go over to further pages where they are small.
      expect(pagesTransferred).toBeLessThanOrEqual(5);
      const have = readFileSync(other);
      const pulled = await theirs.pull(other, have);
      expect(pulled.pagesTransferred, `${pageSize}`).toBeLessThanOrEqual(5 * Math.max(1, pageSize / 4096));
      expect(rowsOf(other)).toEqual(rowsOf(mine));

      // An original client knows no generations: it wins, and ours is told.
      change(other, "UPDATE item SET mark = 'theirs' WHERE id = 31");
      await theirs.push(other);
      change(mine, "UPDATE item SET mark = 'late' WHERE id = 32");
      await expect(ours.push(mine)).rejects.toMatchObject({ code: "GENERATION_CONFLICT" });
      expect((await stored()).equals(readFileSync(other))).toBe(true);
      expect(await ours.push(mine, true)).toMatchObject({ changed: true, generation: 4 });

      // Ours shrinks; the original client gets no old tail.
      change(mine, "DELETE FROM item WHERE id > 5; VACUUM");
      expect(await ours.push(mine)).toMatchObject({ changed: true, generation: 5 });
      await theirs.pull(other);
      expect(readFileSync(other).equals(readFileSync(mine)), `${pageSize}`).toBe(true);
    }
    expect(host.errors).toEqual([]);
  });

  it.runIf(inCi)(
    "push at the same time, and what is stored is one of the two",
    { timeout: 20_000 + ROUNDS * 2_000 },
    async () => {
      const { host, at, database } = await start();
      const { ours, plain: theirs, stored } = await database("race");
      const [mine, other] = [makeFile(at("mine.db"), { rows: 400 }), at("other.db")];
      await ours.push(mine);
      for (let round = 0; round < ROUNDS; round += 1) {
        await theirs.pull(other);
        change(mine, `UPDATE item SET mark = 'ours ${round}'`);
        change(other, `UPDATE item SET mark = 'theirs ${round}'`);
        // So that each of them is the first at times.
        const theirsLater = realDelay((round % 3) * 25).then(() => theirs.push(other));
        const results = await Promise.allSettled([ours.push(mine), theirsLater]);
        const won = [mine, other].filter((_, at) => results[at]?.status === "fulfilled");
        // One that begins when the other has ended starts from what that has stored.
        expect(won.length).toBeGreaterThan(0);
        const now = await stored();
        expect(won.some((file) => now.equals(readFileSync(file)))).toBe(true);
        for (const { reason } of results.filter((result) => result.status === "rejected")) {
          expect(String(reason)).toMatch(/generation \d+.*generation \d+/);
        }
        await ours.push(mine, true);
      }
      expect(host.errors).toEqual([]);
    },
  );
});

describe("our client at an original server", () => {
  it.each([512, 4096, 65_536])("takes turns with an original client, in pages of %i bytes", async (pageSize) => {
    const server = await startPlainServer();
    atEnd(server.close);
    const folder = tempDir();
    const [mine, other] = [makeFile(join(folder, "mine.db"), { pageSize, rows: 61 }), join(folder, "other.db")];
    await syncHere("push", mine, { origin: server.httpUrl });
    const first = await plain.pull(server.url, "pull");
    expect(first.bytes.equals(readFileSync(mine))).toBe(true);
    writeFileSync(other, first.bytes);
    change(other, "UPDATE item SET mark = 'theirs' WHERE id = 31");
    await plain.push(server.url, "push", readFileSync(other));
    const pulled = await syncHere("pull", mine, { origin: server.httpUrl });
    expect(pulled).toMatchObject({ changed: true, generation: null, pageSize });
    expect(pulled.pagesTransferred).toBeLessThanOrEqual(5 * Math.max(1, pageSize / 4096));
    expect(rowsOf(mine)).toEqual(rowsOf(other));
    change(mine, "UPDATE item SET mark = 'ours' WHERE id = 7");
    await syncHere("push", mine, { origin: server.httpUrl });
    const last = await plain.pull(server.url, "pull", readFileSync(other));
    writeFileSync(other, last.bytes);
    expect(rowsOf(other)).toEqual(rowsOf(mine));
  });
});
