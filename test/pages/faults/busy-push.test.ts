import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inCi, size } from "../../support/size.js";
import { tempDir } from "../../support/temp-dir.js";
import { syncHere } from "../client/client-fixture.js";
import { startPageHost } from "../server-facade/page-host.js";
import { openDatabase, startBusy, wholeTotal } from "../source/source-fixture.js";

const ROUNDS = size({ test: 2, ci: 30, soak: 60 });

describe.runIf(inCi)("a database in WAL mode that others write to and checkpoint all the time", () => {
  it(`arrives as one whole transaction state, later each time, over ${ROUNDS} pushes`, {
    timeout: 60_000 + ROUNDS * 10_000,
  }, async () => {
    const host = await startPageHost();
    const ann = await host.user("ann@example.com");
    const { id } = await ann.admin.createDatabase({ name: "busy" });
    const [push, pull] = [await ann.token(id, "push"), await ann.token(id, "pull")];
    const { path, database } = openDatabase({ megabytes: 1 });
    database.close();
    const busy = [
      await startBusy(path, "write", 2),
      await startBusy(path, "write", 10),
      await startBusy(path, "checkpoint", 5),
    ];
    const copy = join(tempDir(), "copy.db");
    const seen: number[] = [];
    for (let round = 1; round <= ROUNDS; round += 1) {
      // The client as users have it: this process may have the file open.
      const { generation } = await host.client.push({ file: path, token: push });
      expect(generation).toBe(round);
      await syncHere("pull", copy, { origin: host.origin, token: pull });
      const total = wholeTotal(copy);
      expect(wholeTotal((await host.server.databaseFile(id)) ?? "")).toBe(total);
      expect(total).toBeGreaterThan(seen.at(-1) ?? -1);
      seen.push(total);
    }
    for (const child of busy) {
      child.writeLine("end");
      expect((await child.exited).code).toBe(0);
    }
    // And the last state of all, when nobody writes any more.
    await host.client.push({ file: path, token: push });
    await syncHere("pull", copy, { origin: host.origin, token: pull });
    expect(wholeTotal(copy)).toBe(wholeTotal(path));
    expect(host.errors).toEqual([]);
  });
});
