import type { RemoteConfig } from "../config.js";

/** A collection to replicate. */
export interface RemoteCollection {
  readonly name: string;
  /** Namespace of this server that the collection belongs to. Default: the root. */
  readonly namespace?: string;
  /** Key of the document in the local store: a storage path without template variables. */
  readonly storagePath: string;
  readonly remote: RemoteConfig;
  /** Limit on a client's push that is forwarded, in bytes. Default: none. */
  readonly maxBodyBytes?: number;
}

/** What a collection is called in the manager: `collection`, or `namespace/collection`. */
export function channelName(name: string, namespace: string | null | undefined): string {
  return namespace == null ? name : `${namespace}/${name}`;
}
