/**
 * What a cap-cert allows. The primary reads it so: `ops` on `collections` (`"*"` is all), and only for storage paths
 * that match `paths` (globs: `*` within a segment, `**` across; an entry that starts with `!` denies and wins; left
 * out: every path). The same shape as `ScopePreset` of starfish-identities.
 */
export interface CapScope {
  ops: ("read" | "write" | "list")[];
  collections: string[];
  paths?: string[];
}

/** Everything the identity itself may do: the default scope of a replica, `rootAll` in starfish-identities. */
export const ROOT_ALL: CapScope = { ops: ["read", "list", "write"], paths: ["**"], collections: ["*"] };

const OPS: readonly unknown[] = ["read", "write", "list"];

function isStringList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === "string");
}

/**
 * Checks a scope that a caller asks for and copies it. Throws a `TypeError` on a wrong shape and on a scope that means
 * something other than it says: an empty `paths` would allow every path, and one with denials alone none.
 */
export function parseScope(value: unknown): CapScope {
  const { ops, collections, paths } = (typeof value === "object" && value !== null ? value : {}) as Partial<CapScope>;
  if (!isStringList(ops) || ops.length === 0 || !ops.every((op) => OPS.includes(op))) {
    throw new TypeError('`scope.ops` must be a list of one or more of "read", "write" and "list"');
  }
  if (!isStringList(collections) || collections.length === 0) {
    throw new TypeError('`scope.collections` must be a list of one or more collection names; ["*"] is all of them');
  }
  if (paths === undefined) return { ops: [...ops], collections: [...collections] };
  if (!isStringList(paths) || paths.every((path) => path.startsWith("!"))) {
    throw new TypeError(
      '`scope.paths` must be a list of globs with at least one that does not deny (deny: "!..."); leave it out to allow every path',
    );
  }
  return { ops: [...ops], collections: [...collections], paths: [...paths] };
}
