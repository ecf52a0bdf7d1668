import type { CollectionConfig } from "@drakkar.software/starfish-server";

/**
 * A complete collection config: anybody may read and write, JSON, no encryption, 8 MiB a body, stored at `<name>/doc`. `overrides` win.
 */
export function collection(name: string, overrides: Partial<CollectionConfig> = {}): CollectionConfig {
  return {
    name,
    storagePath: `${name}/doc`,
    readRoles: ["public"],
    writeRoles: ["public"],
    encryption: "none",
    maxBodyBytes: 8 * 1024 * 1024,
    allowedMimeTypes: ["application/json"],
    ...overrides,
  };
}

/**
 * The same collection for callers with a cap-cert only. The host turns a cap's scope into roles `cap:<op>:<collection>` and compares
 * them as text, so a cap for `collections: ["*"]` (a root device's) brings `cap:read:*` and one for a single collection `cap:read:<name>`:
 * both are let in. Roles other than `["public"]` are kept as they are.
 */
export function forCapCerts(config: CollectionConfig): CollectionConfig {
  const roles = (given: string[], op: "read" | "write") =>
    given.length === 1 && given[0] === "public" ? [`cap:${op}:*`, `cap:${op}:${config.name}`] : given;
  return { ...config, readRoles: roles(config.readRoles, "read"), writeRoles: roles(config.writeRoles, "write") };
}
