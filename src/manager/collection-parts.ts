import type { ObjectStore } from "@drakkar.software/starfish-server";
import { BaseRecords } from "../collections/base-records.js";
import { CollectionChannel } from "../collections/collection-channel.js";
import type { CollectionSettings } from "../collections/collection-settings.js";
import { CollectionStore } from "../collections/collection-store.js";
import { LocalCopy } from "../collections/local-copy.js";
import type { MergeableCopy } from "../collections/merge-state.js";
import { MergedDocument } from "../collections/merged-document.js";
import { OutboxChannel } from "../collections/outbox-channel.js";
import { PendingWrites } from "../collections/pending-writes.js";
import { PrimaryClient } from "../collections/primary-client.js";
import { PushThrough } from "../collections/push-through.js";
import { ReplacedDocument } from "../collections/replaced-document.js";
import { ShadowCopy } from "../collections/shadow-copy.js";
import type { Transport } from "../collections/transport.js";
import type { ReplicaError } from "../errors.js";
import type { AuthorProof } from "../protocol/author-proof.js";

/** What sends local writes on. */
interface Outbox {
  readonly channel: OutboxChannel;
  readonly pending: PendingWrites;
}

/** The parts that make up one replicated collection. */
export interface CollectionParts {
  readonly settings: CollectionSettings;
  readonly channel: CollectionChannel;
  readonly local: MergeableCopy;
  readonly primary: PrimaryClient;
  /** Present when clients' writes are forwarded. */
  readonly pushThrough: PushThrough | null;
  /** Present when clients' writes are stored here. */
  readonly merged: MergedDocument | null;
  /** Present when clients' writes are stored here and sent on. */
  readonly outbox: Outbox | null;
}

/** What the parts need from where they are put together. */
export interface CollectionSurroundings {
  readonly store: ObjectStore;
  readonly transport: Transport;
  readonly takesProof: (proof: AuthorProof) => boolean;
  readonly pull: (name: string, when: "now" | "unless_failing") => void;
  readonly flush: (name: string, when: "now" | "unless_failing") => void;
  readonly onError: (name: string, error: ReplicaError) => void;
}

/** Puts a collection's parts together as its write mode asks. */
export function createCollectionParts(settings: CollectionSettings, around: CollectionSurroundings): CollectionParts {
  const { name, documentKey, stateKey, policy, pushUrl, mergeRule } = settings;
  const report = (error: ReplicaError): void => around.onError(name, error);
  const primary = new PrimaryClient(settings, around.transport);
  const store = new CollectionStore(around.store, settings);
  const local = new LocalCopy(store, documentKey);
  const records = new BaseRecords(store, stateKey, report);
  const common = { settings, local, primary };
  if (!policy.keepsBase) {
    const replaced = new ReplacedDocument(name, local, records, policy.reconcile, settings.missing);
    const channel = new CollectionChannel(settings, primary, replaced);
    const pushThrough =
      policy.clientWrite === "forward" && pushUrl ? new PushThrough(primary, pushUrl, replaced) : null;
    return { ...common, channel, pushThrough, merged: null, outbox: null };
  }
  const copy = policy.pulls ? local : new ShadowCopy(local, store, `${stateKey}.shadow`);
  const sides = { ...common, local: copy };
  const rule = mergeRule ? { rule: mergeRule } : {};
  const merged = new MergedDocument(name, copy, records, policy.reconcile, { ...rule, onDemand: !policy.pulls });
  let sender: OutboxChannel | null = null;
  const flush = (recovered: boolean): void => {
    const isBack = recovered || sender?.unreached === true;
    // The normal case: an unchanged poll, and nothing to send.
    if (isBack || !merged.seenInStep) around.flush(name, isBack ? "now" : "unless_failing");
  };
  const channel = new CollectionChannel(settings, primary, merged, flush);
  if (!pushUrl) return { ...sides, channel, pushThrough: null, merged, outbox: null };
  const pending = new PendingWrites(merged, { trustsFirstPush: !policy.pulls, onDeadLetter: report });
  sender = new OutboxChannel({
    document: merged,
    pending,
    primary,
    pushUrl,
    takesProof: around.takesProof,
    pull: (when) => around.pull(name, when),
    onDeadLetter: report,
  });
  return { ...sides, channel, pushThrough: null, merged, outbox: { channel: sender, pending } };
}
