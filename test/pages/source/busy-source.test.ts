import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { realDelay } from "../../support/real-time.js";
import { size } from "../../support/size.js";
import { tempDir } from "../../support/temp-dir.js";
import { openDatabase, startBusy, startReader, wholeTotal } from "./source-fixture.js";

const ROUNDS = size({ test: 4, ci: 60, soak: 1_000 });
/** On a busy machine the writers may not get their turn for some rounds. */
const MOST_ROUNDS = 10 * ROUNDS;

describe("openPageSource beside other programs", () => {
  it.each([512, 4096, 65_536])(
    "shows one whole transaction in WAL mode, while they write and checkpoint, in pages of %d bytes",
    async (pageSize) => {
      const { path, database } = openDatabase({ pageSize, autoVacuum: pageSize === 512 ? "full" : "none" });
      database.close();
      const [first, second] = [await startBusy(path, "write"), await startBusy(path, "write", 3)];
      const checkpointer = await startBusy(path, "checkpoint", 1);
      const reader = await startReader();
      const out = tempDir();
      const seen = new Set<number>();
      for (let round = 0; round < ROUNDS || (seen.size <= ROUNDS / 3 && round < MOST_ROUNDS); round += 1) {
        await reader.ask("open", path);
        await reader.ask("write", join(out, "now.db"));
        await realDelay(Math.random() * 10);
        await reader.ask("write", join(out, "later.db"));
        await reader.ask("close");
        expect(readFileSync(join(out, "later.db")).equals(readFileSync(join(out, "now.db")))).toBe(true);
        seen.add(wholeTotal(join(out, "now.db")));
      }
      // Nobody was held up, and there was something to see.
      expect(seen.size).toBeGreaterThan(ROUNDS / 3);
      for (const busy of [first, second, checkpointer]) {
        busy.writeLine("end");
        expect((await busy.exited).code).toBe(0);
      }
      expect(readdirSync(join(path, ".."))).toEqual(["source.db"]);
    },
    600_000,
  );

  it.each(["delete", "persist"])(
    "shows one whole transaction in mode %s, and lets them go on",
    async (mode) => {
      const { path, database } = openDatabase({ mode, megabytes: 4 });
      database.close();
      const writer = await startBusy(path, "write", 1);
      const reader = await startReader();
      const out = join(tempDir(), "out.db");
      const seen = new Set<number>();
      for (let round = 0; round < ROUNDS / 2 || (seen.size <= 1 && round < MOST_ROUNDS); round += 1) {
        await reader.ask("open", path);
        await reader.ask("write", out);
        await reader.ask("close");
        seen.add(wholeTotal(out));
      }
      expect(seen.size).toBeGreaterThan(1);
      writer.writeLine("end");
      expect((await writer.exited).code).toBe(0);
      const [, report = ""] = writer.lines.at(-1)?.match(/^report (.*)/) ?? [];
      expect(JSON.parse(report).longestMs).toBeLessThan(2_000);
    },
    600_000,
  );
});
