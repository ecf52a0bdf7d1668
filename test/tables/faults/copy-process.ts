import type { TableReplication } from "../../../src/tables/table-replication.js";
import type { TableReplicationOptions } from "../../../src/tables/table-replication-options.js";
import { buildOnce } from "../../support/build-once.js";
import { type Child, spawnNode } from "../../support/child.js";

/** A process of its own that keeps tables in step. */
export interface CopyProcess {
  readonly child: Child;
  /** Calls a method of its `TableReplication`. One call of a method at a time. */
  call<Result>(method: keyof TableReplication, ...args: readonly unknown[]): Promise<Result>;
}

type PlainOptions = Omit<TableReplicationOptions, "onError" | "onProgress" | "beforeQuery" | "afterQuery">;

interface ProcessOptions {
  readonly nodeArgs?: readonly string[];
}

/** Starts one and waits until its `start()` has resolved. @throws what it was refused with. */
export async function startCopyProcess(options: PlainOptions, { nodeArgs }: ProcessOptions = {}): Promise<CopyProcess> {
  const file = await buildOnce("test/tables/faults/copy-child.ts");
  const child = spawnNode(file, [JSON.stringify(options)], nodeArgs ? { nodeArgs } : {});
  const [, how, what = ""] = await child.waitForLine(/^(started|refused) (.*)$/, 30_000);
  if (how === "refused") {
    await child.kill();
    throw Object.assign(new Error("refused"), JSON.parse(what));
  }
  return {
    child,
    async call(method, ...args) {
      child.writeLine(JSON.stringify({ method, args }));
      const [, ended, value = ""] = await child.waitForLine(new RegExp(`^${method} (gave|failed) (.*)$`), 120_000);
      if (ended === "failed") throw Object.assign(new Error("failed"), JSON.parse(value));
      return JSON.parse(value);
    },
  };
}
