/** How a replica treats its clients' writes, and what it takes from its primary. */
export const WRITE_MODES = ["pull_only", "push_through", "bidirectional", "push_only"] as const;

export type WriteMode = (typeof WRITE_MODES)[number];
