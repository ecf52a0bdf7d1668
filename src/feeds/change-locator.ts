import { type CollectionConfig, resolveDocumentKey, type SyncConfig } from "@drakkar.software/starfish-server";
import type { ChangeEvent } from "./change-feed.js";
import { requireChangeEvent } from "./parse-change-event.js";

/** An event with what is needed to say who may hear of it. */
export interface LocatedChange {
  readonly event: ChangeEvent;
  readonly collection: CollectionConfig;
  /** Values of the storage path's placeholders. */
  readonly params: Readonly<Record<string, string>>;
}

/** Who may hear of the commits of a page server, whose databases stand in no configuration. */
export interface PageAccess {
  /** As `readRoles` of a collection. A cap-cert with paths has to cover `pages/<database id>` too. */
  readonly readRoles: readonly string[];
}

/** The namespace of a page server's commits; `collection` is the id of the database. */
const PAGES = "pages";

const PLACEHOLDER = /\{(\w+)\}/g;

/** Finds the collection, the key and the placeholders' values of an event in a server's configuration. */
export class ChangeLocator {
  readonly collections: readonly CollectionConfig[];
  readonly #scopes = new Map<string | null, Map<string, CollectionConfig>>();
  readonly #pages: PageAccess | undefined;

  /** @param pages default: nobody hears of the commits of a page server */
  constructor(config: SyncConfig, pages?: PageAccess) {
    this.#pages = pages;
    const scopes: Array<[string | null, readonly CollectionConfig[]]> = [[null, config.collections]];
    for (const [name, { collections }] of Object.entries(config.namespaces ?? {})) scopes.push([name, collections]);
    for (const [name, list] of scopes) this.#scopes.set(name, new Map(list.map((one) => [one.name, one])));
    const listed = scopes.flatMap(([, list]) => list);
    this.collections = pages === undefined ? listed : [...listed, pageCollection(PAGES, pages)];
  }

  /**
   * `null` where the configuration has no such collection, or no document of it can have that key: nobody may read it then.
   * @throws TypeError on something that is no event
   */
  locate(given: ChangeEvent): LocatedChange | null {
    const event = requireChangeEvent(given);
    const collection = this.#scopes.get(event.namespace)?.get(event.collection);
    if (!collection) return this.#locatePages(event);
    const template = keyTemplate(collection);
    if (event.key !== "") {
      const params = given.params ?? matchTemplate(template, event.key);
      return params && { event, collection, params };
    }
    const params = given.params ?? {};
    const key = resolveDocumentKey(template, params);
    return hasPlaceholder(key) ? null : { event: { ...event, key }, collection, params };
  }

  #locatePages(event: ChangeEvent): LocatedChange | null {
    // An id with a path in it would be looked for elsewhere.
    if (this.#pages === undefined || event.namespace !== PAGES || !/^[\w-]+$/.test(event.collection)) return null;
    const collection = pageCollection(event.collection, this.#pages);
    return { event: { ...event, key: collection.storagePath }, collection, params: {} };
  }
}

/** A database of a page server as what decides over readers knows it. */
function pageCollection(name: string, { readRoles }: PageAccess): CollectionConfig {
  return {
    name,
    storagePath: `${PAGES}/${name}`,
    readRoles: [...readRoles],
    writeRoles: [],
    encryption: "none",
    maxBodyBytes: 1,
    allowedMimeTypes: [],
  };
}

/** The members of a bundle share a path; the host stores each one under its own name below it. */
function keyTemplate({ storagePath, bundle, name }: CollectionConfig): string {
  return bundle === undefined ? storagePath : `${storagePath}/${name}`;
}

function hasPlaceholder(key: string): boolean {
  return key.match(PLACEHOLDER) !== null;
}

/** A placeholder stands for one path segment, or a part of one: the host's routes have no others. */
function matchTemplate(template: string, key: string): Record<string, string> | null {
  const names: string[] = [];
  const pattern = template
    .split(/(\{\w+\})/)
    .map((part) => {
      const name = /^\{(\w+)\}$/.exec(part)?.[1];
      if (name === undefined) return part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
      names.push(name);
      return "([^/]+)";
    })
    .join("");
  const values = new RegExp(`^${pattern}$`).exec(key);
  if (values === null) return null;
  const params = Object.fromEntries(names.map((name, i) => [name, values[i + 1] ?? ""]));
  return resolveDocumentKey(template, params) === key ? params : null;
}
