export { ConfigurationError, ReplicaError, type ReplicaErrorCode } from "../errors.js";
export type {
  PageClient,
  PageClientOptions,
  PageSyncProgress,
  PageSyncRequest,
  PageSyncResult,
} from "./page-client.js";
export type { OAuthProviderOptions, PageServerOptions } from "./page-server-options.js";
