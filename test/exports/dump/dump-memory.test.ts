import { describe, expect, it } from "vitest";
import { buildOnce } from "../../support/build-once.js";
import { spawnNode } from "../../support/child.js";
import { inCi, size } from "../../support/size.js";
import { databaseOf } from "./dump-fixture.js";

const MIB = 1024 * 1024;

async function memoryOf(file: string, format: string): Promise<{ bytes: number; memory: number }> {
  const child = spawnNode(await buildOnce("test/exports/dump/memory-child.ts"), [file, format]);
  const [, result = ""] = await child.waitForLine(/^done (.*)/, 300_000);
  await child.exited;
  return JSON.parse(result);
}

describe.runIf(inCi)("the memory of a process that takes a snapshot or dumps", () => {
  const large = size({ test: 50, ci: 300, soak: 2_000 });

  it(`stays below 150 MiB, for 10 MB as for ${large} MB`, async () => {
    const small = databaseOf(10);
    const big = databaseOf(large);
    for (const format of ["snapshot", "sql", "csv", "ndjson"]) {
      const before = await memoryOf(small, format);
      const after = await memoryOf(big, format);
      expect(after.bytes).toBeGreaterThan((before.bytes * large) / 12);
      expect(after.memory).toBeLessThan(150 * MIB);
    }
  }, 600_000);
});
