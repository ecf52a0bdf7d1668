export { ConfigurationError, ReplicaError, type ReplicaErrorCode } from "../errors.js";
export { createPageChannel, type PageChannelOptions } from "./create-page-channel.js";
export { createPageClient } from "./create-page-client.js";
export { createPageServer } from "./create-page-server.js";
export type {
  PageClient,
  PageClientOptions,
  PageSyncProgress,
  PageSyncRequest,
  PageSyncResult,
} from "./page-client.js";
export type { PageServer } from "./page-server.js";
export { readPageServerEnvironment } from "./page-server-environment.js";
export type { OAuthProviderOptions, PageServerOptions } from "./page-server-options.js";
export { PAGE_EVENTS, type PageEvent } from "./server/page-events.js";
