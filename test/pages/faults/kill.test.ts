import { existsSync, readdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { buildOnce } from "../../support/build-once.js";
import { type Child, spawnNode } from "../../support/child.js";
import { realDelay } from "../../support/real-time.js";
import { size } from "../../support/size.js";
import { tempDir } from "../../support/temp-dir.js";
import { waitFor } from "../../support/wait.js";
import { syncHere } from "../client/client-fixture.js";
import { announceSeed } from "./announce-seed.js";
import { issueTokens } from "./issue-tokens.js";
import { createNumbered, versionIn } from "./numbered-database.js";
import { startPageProcess } from "./page-process.js";
import { pick } from "./seeded-random.js";

const ROUNDS = size({ test: 2, ci: 6, soak: 30 });

/** Numbers in lines such as `pushed 7`, the last one. */
function last(children: readonly Child[], what: string): number {
  let found = -1;
  for (const { lines } of children) {
    for (const line of lines) {
      const [word, number] = line.split(" ");
      if (word === what) found = Math.max(found, Number(number));
    }
  }
  return found;
}

/** What stands in the folders of local files and is neither a database nor what belongs to one. */
function leftOf(files: readonly string[]): string[] {
  const known = files.map((file) => basename(file));
  return [...new Set(files.map((file) => dirname(file)))].flatMap((folder) =>
    readdirSync(folder).filter(
      (name) => !known.includes(name.replace(/(-replica\.json|-replica-lock|-wal|-shm)$/, "")),
    ),
  );
}

describe("a page server, those who push and those who pull, killed (kill -9) at any moment", () => {
  it(`keep whole versions, none older than the last that was acknowledged, over ${ROUNDS} kills`, {
    timeout: 60_000 + ROUNDS * 20_000,
  }, async () => {
    const random = announceSeed(`pages, ${ROUNDS} kills`);
    const dir = tempDir();
    const folders = [tempDir(), tempDir(), tempDir()];
    const [source, wal, rollback] = folders.map((folder, at) => join(folder, `${at}.db`)) as [string, string, string];
    const fresh = join(tempDir(), "fresh.db");
    const rows = size({ test: 800, ci: 3_000, soak: 5_000 });
    createNumbered(source, { mode: "wal", rows });
    createNumbered(wal, { mode: "wal", rows: 10 });
    createNumbered(rollback, { rows: 10 });
    const server = await startPageProcess(dir);
    const { databaseId, push, pull } = await issueTokens(server.origin);

    const loop = await buildOnce("test/pages/faults/sync-loop-child.ts");
    const pushers: Child[] = [];
    const pullers: Child[] = [];
    const startPusher = () =>
      pushers.push(
        spawnNode(loop, ["push", server.origin, source, String(random() * 2 ** 31)], { env: { SYNC_TOKEN: push } }),
      );
    const startPuller = () =>
      pullers.push(
        spawnNode(loop, ["pull", server.origin, [wal, rollback, fresh].join(",")], { env: { SYNC_TOKEN: pull } }),
      );
    const running = (children: readonly Child[]): Child => children.at(-1) as Child;
    const pause = async (child: Child) => {
      child.writeLine("pause");
      await child.waitForLine(/^paused$/, 60_000);
    };
    startPusher();
    await running(pushers).waitForLine(/^pushed/, 30_000);
    startPuller();
    await running(pullers).waitForLine(/^pulled/, 30_000);
    await running(pullers).waitForLine(/^pulled/, 30_000);
    const reader = spawnNode(await buildOnce("test/pages/faults/reader-child.ts"), [wal, rollback]);
    await reader.waitForLine(/^sees/);
    const met = { server: 0, pusher: 0, puller: 0 };

    for (let round = 1; round <= ROUNDS; round += 1) {
      const victim =
        ROUNDS < 3 ? (["server", "pusher"] as const)[round - 1] : pick(random, "server", "pusher", "puller");
      const [children, begins] = victim === "puller" ? [pullers, /^pulling/] : [pushers, /^pushing/];
      await running(children).waitForLine(begins as RegExp, 30_000);
      await realDelay(random() * 80);
      const underWay = () =>
        running(children as Child[])
          .lines.at(-1)
          ?.match(begins as RegExp) !== null;
      if (victim === "server") await server.kill();
      else await running(children as Child[]).kill();
      if (underWay()) met[victim ?? "server"] += 1;
      const what = `round ${round}, ${victim}`;

      // Whatever was cut short, each file is a whole version at once.
      const whole = [source, wal, rollback];
      if (victim === "puller" && existsSync(fresh)) whole.push(fresh);
      for (const file of whole) expect(versionIn(file), what).toBeGreaterThanOrEqual(0);
      if (victim === "server") await server.restart();
      else if (victim === "pusher") startPusher();
      else startPuller();
      const acknowledged = last(pushers, "pushed");
      const checked = join(tempDir(), "checked.db");
      const pulled = await syncHere("pull", checked, { origin: server.origin, token: pull, check: true });
      const version = versionIn(checked);
      expect(version, what).toBeGreaterThanOrEqual(acknowledged);
      await waitFor(() => last(pushers, "pushing") >= version, {
        what: `${what}: version ${version} to have been pushed`,
      });
      // Each version was committed once, also where the answer to its push was lost.
      expect(pulled.generation, what).toBe(version + 1);

      // One more push and pull each, and nothing is left of what was killed.
      await pause(running(pushers));
      await pause(running(pullers));
      const newest = last(pushers, "pushed");
      expect(newest, what).toBe(last(pushers, "pushing"));
      const { generation } = await syncHere("pull", checked, { origin: server.origin, token: pull });
      expect([source, wal, rollback, fresh, checked].map(versionIn), what).toEqual(Array(5).fill(newest));
      expect(readdirSync(join(dir, "databases", databaseId)).sort(), what).toEqual([
        `${generation}.db`,
        `${generation}.hashes`,
      ]);
      const staging = join(dir, "staging", databaseId);
      expect(existsSync(staging) ? readdirSync(staging) : [], what).toEqual([]);
      expect(leftOf([source, wal, rollback, fresh, checked]), what).toEqual([]);
      rmSync(dirname(checked), { recursive: true });
      running(pushers).writeLine("go");
      running(pullers).writeLine("go");
    }

    for (const child of [...pushers, ...pullers])
      expect(child.lines.filter((line) => line.startsWith("failed"))).toEqual([]);
    // The reader saw every file go from version to version, and nothing in between.
    expect(reader.stderr).toBe("");
    expect(reader.lines.length).toBeGreaterThan(ROUNDS);
    expect(server.errors).toEqual([]);
    process.stdout.write(
      `${last(pushers, "pushed")} versions pushed; killed in the middle of a sync: ${JSON.stringify(met)}\n`,
    );
  });
});
