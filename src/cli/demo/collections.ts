import type { CollectionConfig } from "@drakkar.software/starfish-server";
import type { RemoteConfig } from "../../config.js";
import type { WriteMode } from "../../modes/write-mode.js";

/** The data of a demo document. */
export type DemoData = Readonly<Record<string, string | number>>;

interface DemoCollection {
  /** Name, storage key and last part of its URLs. */
  readonly name: string;
  readonly mode: WriteMode;
  /** What the primary has when the demo begins; `null` for nothing. */
  readonly seed: DemoData | null;
  readonly follow: Pick<RemoteConfig, "syncTriggers" | "intervalMs">;
}

/** One per write mode, each followed in its own way: a shop that replicates its head office. */
export const DEMO_COLLECTIONS: readonly DemoCollection[] = [
  {
    name: "prices",
    mode: "pull_only",
    seed: { bread: 320, milk: 145, revision: 0 },
    follow: { syncTriggers: ["on_change"] },
  },
  {
    name: "stock",
    mode: "push_through",
    seed: { apples: 40, pears: 25 },
    follow: { syncTriggers: ["on_pull"] },
  },
  {
    name: "notes",
    mode: "bidirectional",
    seed: { office: "opened" },
    follow: { syncTriggers: ["scheduled"], intervalMs: 1_000 },
  },
  { name: "sales", mode: "push_only", seed: null, follow: { syncTriggers: [] } },
];

/** The demo's collections as a server has them, open to the given roles. */
export function collectionConfigs(readRole: string, writeRole: string): CollectionConfig[] {
  return DEMO_COLLECTIONS.map(({ name }) => ({
    name,
    storagePath: name,
    readRoles: [readRole],
    writeRoles: [writeRole],
    encryption: "none",
    maxBodyBytes: 64 * 1024,
    allowedMimeTypes: ["application/json"],
  }));
}
