export type { CapCert } from "./auth/cap-cert.js";
export { createReplicaAuth } from "./auth/create-replica-auth.js";
export type { DeviceCredentials } from "./auth/device-credentials.js";
export type { ReplicaAuth, ReplicaAuthOptions } from "./auth/replica-auth.js";
export type { DeadLetter } from "./collections/dead-letter.js";
export type { ForwardedPush } from "./collections/push-through.js";
export type { RequestSigner } from "./collections/signed-transport.js";
export type { Verification } from "./collections/verify-document.js";
export { validateReplicaConfig } from "./config/validate-replica-config.js";
export type { NamespaceRemotes, RemoteConfig, ReplicationOptions, SyncTrigger } from "./config.js";
export { ConfigurationError, ERROR_CODES, ReplicaError, type ReplicaErrorCode } from "./errors.js";
export type { ChangeEvent, ChangeFeed, ChangeHandler } from "./feeds/change-feed.js";
export type { CollectionStatus, OutboxStatus } from "./manager/collection-status.js";
export type { ReplicaManagerOptions } from "./manager/manager-options.js";
export type { RemoteCollection } from "./manager/remote-collection.js";
export { ReplicaManager } from "./manager/replica-manager.js";
export type { MergeRule } from "./modes/merge-rule.js";
export type { MergeInput } from "./modes/three-way-merge.js";
export { WRITE_MODES, type WriteMode } from "./modes/write-mode.js";
export type { Refusal, WriteModePolicy } from "./modes/write-mode-policy.js";
export { createReplicaServerPlugin, type ReplicaPluginOptions, type ReplicaServerPlugin } from "./plugin.js";
export { createPrimaryServerPlugin, type PrimaryPluginOptions } from "./primary.js";
export type { JsonObject } from "./protocol/json-object.js";
export type { Channel, SyncOutcome } from "./scheduler/channel.js";
export {
  ChannelScheduler,
  type ChannelSchedulerOptions,
  type ScheduledChannel,
} from "./scheduler/channel-scheduler.js";
export type { BackOffOptions } from "./scheduler/delays.js";
export type { ChannelStatus } from "./scheduler/run-ledger.js";
export type { Schedule } from "./scheduler/schedule.js";
export type { SyncContext, SyncReason } from "./scheduler/sync-context.js";
export { SYNC_EVENTS, type SyncEvent } from "./scheduler/sync-events.js";
export { TRIGGERS, type Trigger } from "./scheduler/trigger.js";
