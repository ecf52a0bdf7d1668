import type { ObjectStore } from "@drakkar.software/starfish-server";
import { BaseRecords } from "../collections/base-record.js";
import { CollectionChannel } from "../collections/collection-channel.js";
import type { CollectionSettings } from "../collections/collection-settings.js";
import { CollectionStore } from "../collections/collection-store.js";
import { LocalCopy } from "../collections/local-copy.js";
import { MergedDocument } from "../collections/merged-document.js";
import { PrimaryClient } from "../collections/primary-client.js";
import { PushThrough } from "../collections/push-through.js";
import { ReplacedDocument } from "../collections/replaced-document.js";
import type { Transport } from "../collections/transport.js";

/** The parts that make up one replicated collection. */
export interface CollectionParts {
  readonly settings: CollectionSettings;
  readonly channel: CollectionChannel;
  /** Present when clients' writes are forwarded. */
  readonly pushThrough: PushThrough | null;
  /** Present when the primary's changes are merged into what clients write. */
  readonly merged: MergedDocument | null;
}

/** Puts a collection's parts together as its write mode asks. */
export function createCollectionParts(
  store: ObjectStore,
  settings: CollectionSettings,
  transport: Transport,
): CollectionParts {
  const { name, documentKey, policy, pushUrl } = settings;
  const { reconcile } = policy;
  const primary = new PrimaryClient(settings, transport);
  const access = new CollectionStore(store, settings);
  const local = new LocalCopy(access, documentKey);
  if (!reconcile)
    return { settings, channel: new CollectionChannel(settings, primary, null), pushThrough: null, merged: null };
  const records = new BaseRecords(access, settings.stateKey);
  if (policy.keepsBase) {
    const merged = new MergedDocument(name, local, records, reconcile);
    return { settings, channel: new CollectionChannel(settings, primary, merged), pushThrough: null, merged };
  }
  const replaced = new ReplacedDocument(name, local, records, reconcile);
  const forwards = policy.clientWrite === "forward" && pushUrl !== null;
  return {
    settings,
    channel: new CollectionChannel(settings, primary, replaced),
    pushThrough: forwards ? new PushThrough(primary, pushUrl, replaced) : null,
    merged: null,
  };
}
