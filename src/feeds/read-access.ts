import {
  type AuthResult,
  type CollectionConfig,
  dispatchAuthorize,
  hasAuthorizeHook,
  IDENTITY_KEY,
  IDENTITY_PARAM,
  ROLE_PUBLIC,
  ROLE_SELF,
  type RoleEnricher,
  type ServerPlugin,
} from "@drakkar.software/starfish-server";
import type { LocatedChange } from "./change-locator.js";
import { coversKey } from "./scope-paths.js";

/** The host's role of a self-signed device cap, which `rootOnly` collections ask for. It does not export the name. */
const ROLE_ROOT_DEVICE = "device:root";

export interface ReadAccessOptions {
  /** The host's own; asked about an event only where the roles the caller came with are not enough. */
  readonly roleEnricher?: RoleEnricher | undefined;
  /** The host's own; those with an `authorize` hook are asked about each event as about a pull. */
  readonly plugins?: readonly ServerPlugin[] | undefined;
}

/**
 * What one caller may hear of: what the host's pull route would let it read (starfish-server, `checkAuth`, and for a cap's paths
 * `/batch/pull`).
 */
export class ReadAccess {
  readonly #auth: AuthResult | null;
  readonly #roles: ReadonlySet<string>;
  readonly #enrich: RoleEnricher | undefined;
  readonly #plugins: ServerPlugin[] | null;

  /** @param auth what the host's role resolver said; `null` for a caller that it did not let in */
  constructor(auth: AuthResult | null, { roleEnricher, plugins = [] }: ReadAccessOptions) {
    this.#auth = auth;
    this.#roles = new Set(auth?.roles ?? []);
    this.#enrich = auth === null ? undefined : roleEnricher;
    this.#plugins = hasAuthorizeHook([...plugins]) ? [...plugins] : null;
  }

  /** Whether it may hear of this change. A promise only where somebody else has to be asked; it rejects when they fail. */
  mayRead({ event, collection, params }: LocatedChange): boolean | Promise<boolean> {
    if (collection.pushOnly === true) return false;
    // Without a hook the host does not look who asks for these, nor which paths a cap covers.
    if (this.#plugins === null && isPublic(collection)) return true;
    if (!coversKey(this.#auth?.scopePaths, event.key)) return false;
    const roles = this.#rolesFor(collection, params);
    const allowed = isReadable(collection, roles);
    if (allowed && this.#plugins === null) return true;
    if (!allowed && this.#enrich === undefined) return false;
    return this.#ask(collection, event.namespace, params, roles);
  }

  /** Whether there can be an event at all that this caller may hear of. */
  mayReadAny(collections: readonly CollectionConfig[]): boolean {
    if (this.#enrich !== undefined) return true;
    const params: Record<string, string> = this.#auth?.identity ? { [IDENTITY_KEY]: this.#auth.identity } : {};
    return collections.some(
      (collection) => collection.pushOnly !== true && isReadable(collection, this.#rolesFor(collection, params)),
    );
  }

  #rolesFor({ storagePath }: CollectionConfig, params: Readonly<Record<string, string>>): ReadonlySet<string> {
    const isSelf = storagePath.includes(IDENTITY_PARAM) && this.#auth && params[IDENTITY_KEY] === this.#auth.identity;
    return isSelf ? new Set([...this.#roles, ROLE_SELF]) : this.#roles;
  }

  async #ask(
    collection: CollectionConfig,
    namespace: string | null,
    given: Readonly<Record<string, string>>,
    known: ReadonlySet<string>,
  ): Promise<boolean> {
    const params = { ...given };
    const more = this.#auth && this.#enrich ? await this.#enrich(this.#auth, params) : [];
    const roles = new Set([...known, ...more]);
    if (!isReadable(collection, roles)) return false;
    if (this.#plugins === null) return true;
    const verdict = await dispatchAuthorize(this.#plugins, {
      ...(this.#auth?.identity && { identity: this.#auth.identity }),
      action: "pull",
      collection: collection.name,
      ...(namespace !== null && { namespace }),
      params,
      roles: [...roles],
    });
    return verdict.action === "proceed";
  }
}

function isReadable(collection: CollectionConfig, roles: ReadonlySet<string>): boolean {
  if (isPublic(collection)) return true;
  if (collection.rootOnly === true && !roles.has(ROLE_ROOT_DEVICE)) return false;
  return collection.readRoles.some((role) => role === ROLE_PUBLIC || roles.has(role));
}

function isPublic({ readRoles, rootOnly }: CollectionConfig): boolean {
  return rootOnly !== true && readRoles.includes(ROLE_PUBLIC);
}
