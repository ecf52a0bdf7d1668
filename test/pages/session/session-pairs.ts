import { createPullClient, type PullClientOptions } from "../../../src/pages/session/pull-client.js";
import { createPullServer } from "../../../src/pages/session/pull-server.js";
import { createPushClient, type PushClientOptions } from "../../../src/pages/session/push-client.js";
import { createPushServer } from "../../../src/pages/session/push-server.js";
import { type Pages, pagesOf } from "./machine-link.js";
import { type Run, type RunOptions, runMachines } from "./run-machines.js";
import type { FakeStore } from "./server-machine.js";

/** A store at a generation, with pages whose bytes all have their seed's value. */
export function storeOf(seeds: readonly number[], pageSize: number, generation = 3): FakeStore {
  return {
    generation,
    pageSize: generation === 0 ? 0 : pageSize,
    pages: pagesOf(seeds, pageSize),
    leftovers: new Map(),
  };
}

/** Pushes these pages to the store, by default from the store's own generation. */
export function push(
  local: Pages,
  pageSize: number,
  store: FakeStore,
  options: Partial<PushClientOptions> = {},
  runOptions: RunOptions = {},
): Run {
  const base = { database: "d1", generation: store.generation };
  const client = createPushClient({ pageSize, pageCount: local.length, base, ...options });
  return runMachines(client, local, createPushServer({ database: "d1", maxBytes: 2 ** 30 }), store, runOptions);
}

/** Pulls; `result` is what the local file would be. */
export function pull(
  local: Pages | null,
  pageSize: number,
  store: FakeStore,
  options: Partial<PullClientOptions> = {},
  runOptions: RunOptions = {},
): { readonly run: Run; readonly result: Pages } {
  const client = createPullClient({
    local: local === null ? null : { pageSize, pageCount: local.length },
    base: null,
    ...options,
  });
  const run = runMachines(client, local ?? [], createPullServer({ database: "d1" }), store, runOptions);
  const count = run.client.outcome?.pageCount ?? 0;
  const result = Array.from(
    { length: count },
    (_, i) => run.client.received.get(i + 1) ?? local?.[i] ?? new Uint8Array(),
  );
  return { run, result };
}
