/** The `protocol_version` of `hello` and `hello_reply`. */
export const PROTOCOL_VERSION = 1;

/** Bytes of pages that one `page_data_batch` of ours carries at most; always at least one page. */
export const MAX_BATCH_BYTES: number = 1024 * 1024;

/** Bytes that one frame may have, in both directions: `maxPayload` of the WebSocket. */
export const MAX_FRAME_BYTES: number = 4 * 1024 * 1024;
