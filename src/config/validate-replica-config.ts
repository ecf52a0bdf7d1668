import type { CollectionConfig, SyncConfig } from "@drakkar.software/starfish-server";
import { DEFAULT_STATE_PREFIX, type RemoteConfig, type ReplicationOptions } from "../config.js";
import { POLICIES } from "../modes/policies.js";
import type { WriteMode } from "../modes/write-mode.js";
import { isJsonObject } from "../protocol/json-object.js";
import { stateKey } from "../protocol/state-key.js";
import { JSON_TYPE } from "../protocol/wire.js";
import { suggestion } from "./nearest-name.js";
import { remoteMistakes } from "./remote-mistakes.js";

/** A collection of the server, replicated or not. */
interface Placed {
  readonly namespace: string | null;
  readonly config: CollectionConfig;
}

interface Replicated extends Placed {
  readonly remote: RemoteConfig;
}

/**
 * Checks remotes against the server's own configuration.
 * @returns every mistake, each naming the collection and the mend; empty when there is none
 */
export function validateReplicaConfig(
  config: SyncConfig,
  remotes: Readonly<Record<string, RemoteConfig>>,
  options: ReplicationOptions = {},
): string[] {
  const { namespaces = {}, statePrefix = DEFAULT_STATE_PREFIX } = options;
  const mistakes: string[] = [];
  if (!/^[a-zA-Z0-9._@-]+(\/[a-zA-Z0-9._@-]+)*$/.test(statePrefix) || /(^|\/)\.+(\/|$)/.test(statePrefix)) {
    mistakes.push(`statePrefix must be a store key of letters, digits and "._@-/", for instance "_replica"`);
  }
  const placed = allCollections(config);
  const replicated: Replicated[] = [];
  const scopes: Array<[string | null, Readonly<Record<string, RemoteConfig>>]> = [
    [null, remotes],
    ...Object.entries(namespaces),
  ];
  for (const [namespace, collections] of scopes) {
    if (namespace !== null && !config.namespaces?.[namespace]) {
      const known = Object.keys(config.namespaces ?? {});
      mistakes.push(`Namespace "${namespace}": unknown to this server: ${suggestion(namespace, known)}`);
      continue;
    }
    for (const [name, remote] of Object.entries(collections)) {
      const say = (what: string): number => mistakes.push(`${label(namespace, name)}: ${what}`);
      remoteMistakes(remote).forEach(say);
      const found = placed.find((p) => p.namespace === namespace && p.config.name === name);
      if (!found) say(unknownCollection(namespace, name, placed));
      else {
        hostMistakes(found.config).forEach(say);
        forwardingMistakes(found.config, remote).forEach(say);
        if (isJsonObject(remote)) replicated.push({ ...found, remote });
      }
    }
  }
  return [...mistakes, ...sharedKeys(replicated, placed), ...exposedState(replicated, placed, statePrefix)];
}

export function label(namespace: string | null, name: string): string {
  return `${namespace === null ? "" : `Namespace "${namespace}": `}Collection "${name}"`;
}

function allCollections(config: SyncConfig): Placed[] {
  const root = config.collections.map((c) => ({ namespace: null, config: c }));
  const spaces = Object.entries(config.namespaces ?? {});
  return [...root, ...spaces.flatMap(([namespace, ns]) => ns.collections.map((c) => ({ namespace, config: c })))];
}

function unknownCollection(namespace: string | null, name: string, placed: readonly Placed[]): string {
  const known = placed.filter((p) => p.namespace === namespace).map((p) => p.config.name);
  const where = namespace === null ? "root" : "namespaced";
  return `remote replication configured for an unknown ${where} collection: ${suggestion(name, known)}`;
}

/** Kinds of collection that are not one JSON document which a replica may read and write. */
function hostMistakes(collection: CollectionConfig): string[] {
  const mistakes: string[] = [];
  if (/[{}]/.test(collection.storagePath)) {
    mistakes.push(
      `remote collections must have a static storagePath with no template variables (found "${collection.storagePath}")`,
    );
  }
  if (collection.appendOnly)
    mistakes.push("appendOnly collections cannot be replicated: their pull needs bounds and their push appends");
  if (!collection.allowedMimeTypes.some((type) => type.toLowerCase() === JSON_TYPE)) {
    mistakes.push(`binary collections cannot be replicated: allowedMimeTypes must include "${JSON_TYPE}"`);
  }
  if (collection.encryption === "delegated") {
    mistakes.push('encryption "delegated" cannot be replicated: its keyring document would stay behind');
  }
  if (collection.pushOnly)
    mistakes.push('pushOnly collections cannot be replicated: use writeMode "push_only" instead of pushOnly');
  if (collection.bundle)
    mistakes.push("collections of a bundle cannot be replicated: give it a storagePath of its own");
  return mistakes;
}

/** A forwarded write does not pass what the host does after the plugin, and the primary knows only us, not the client's roles. */
function forwardingMistakes({ fieldPermissions = {} }: CollectionConfig, remote: unknown): string[] {
  if (!isJsonObject(remote) || POLICIES[remote.writeMode as WriteMode]?.clientWrite !== "forward") return [];
  const guarded = Object.entries(fieldPermissions).filter(([, { writeRoles }]) => writeRoles && writeRoles.length > 0);
  if (guarded.length === 0) return [];
  const fields = guarded.map(([field]) => `"${field}"`).join(", ");
  return [
    `writeRoles of the fields ${fields} cannot be enforced on forwarded writes: remove them, or use another write mode`,
  ];
}

/** A store key has no namespace in it: two collections with one path are one document. */
function sharedKeys(replicated: readonly Replicated[], placed: readonly Placed[]): string[] {
  const names = replicated.map(({ namespace, config }) => label(namespace, config.name));
  return replicated.flatMap((mine, index) =>
    placed
      .filter(({ config }) => sharesDocument(config, mine.config.storagePath))
      // Not with itself; and of two replicated ones the first complains.
      .filter(({ namespace, config }) => {
        const other = names.indexOf(label(namespace, config.name));
        return other < 0 || other > index;
      })
      .map(
        (other) =>
          `${label(mine.namespace, mine.config.name)}: shares storagePath "${mine.config.storagePath}" with ` +
          `${label(other.namespace, other.config.name)}: give each its own`,
      ),
  );
}

/** The plugin guards templated collections request by request, but the host asks it nothing about pushes to a bundle. */
function sharesDocument(other: CollectionConfig, key: string): boolean {
  return other.bundle ? keyPattern(documentPath(other)).test(key) : other.storagePath === key;
}

function documentPath({ bundle, storagePath, name }: CollectionConfig): string {
  return bundle ? `${storagePath}/${name}` : storagePath;
}

/** Our own records must not be served by a route of the host. */
function exposedState(replicated: readonly Replicated[], placed: readonly Placed[], prefix: string): string[] {
  const keys = replicated
    .filter(({ remote }) => POLICIES[remote.writeMode]?.clientWrite === "store")
    .map(({ namespace, config }) => stateKey(prefix, namespace, config.name));
  return placed.flatMap(({ namespace, config }) => {
    const path = documentPath(config);
    const pattern = keyPattern(path);
    const exposed = keys.find((key) => pattern.test(key)) ?? (path.startsWith(`${prefix}/`) ? path : null);
    if (exposed === null) return [];
    const mend = "change its storagePath, or set statePrefix";
    return [
      `${label(namespace, config.name)}: storagePath "${config.storagePath}" could serve our record "${exposed}": ${mend}`,
    ];
  });
}

/** What keys a storage path can resolve to: a parameter is one or more characters other than "/". */
function keyPattern(path: string): RegExp {
  const literals = path.split(/\{\w+\}/).map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${literals.join("[^/]+")}$`);
}
