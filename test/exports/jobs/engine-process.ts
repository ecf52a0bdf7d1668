import type { EngineOptions, ExportEngine } from "../../../src/exports/jobs/export-engine.js";
import { buildOnce } from "../../support/build-once.js";
import { type Child, spawnNode } from "../../support/child.js";

/** A process of its own that runs export jobs. */
export interface EngineProcess {
  readonly child: Child;
  /** Calls a method of its engine. One call of a method at a time. */
  call<Result>(method: keyof ExportEngine, ...args: readonly unknown[]): Promise<Result>;
}

/** Starts one and waits until it is open. @throws what it was refused with */
export async function startEngineProcess(options: EngineOptions): Promise<EngineProcess> {
  const child = spawnNode(await buildOnce("test/exports/jobs/engine-child.ts"), [JSON.stringify(options)]);
  const [, how, what = ""] = await child.waitForLine(/^(opened|refused) (.*)$/, 30_000);
  if (how === "refused") {
    await child.kill();
    throw Object.assign(new Error("refused"), JSON.parse(what));
  }
  return {
    child,
    async call(method, ...args) {
      child.writeLine(JSON.stringify({ method, args }));
      const [, ended, value = ""] = await child.waitForLine(new RegExp(`^${method} (gave|failed) (.*)$`), 60_000);
      if (ended === "failed") throw Object.assign(new Error("failed"), JSON.parse(value));
      return JSON.parse(value);
    },
  };
}
