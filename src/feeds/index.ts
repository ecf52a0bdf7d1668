export type { ChangeEvent, ChangeFeed, ChangeHandler } from "./change-feed.js";
export { createMemoryFeed } from "./memory-feed.js";
export type { StreamSigner } from "./open-stream.js";
export { createSseChanges, type SseChanges, type SseChangesOptions } from "./sse-changes.js";
export { createSseFeed, type SseFeedOptions } from "./sse-feed.js";
