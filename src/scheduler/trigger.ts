/** What makes a channel run, beside `start()` and being asked by name. */
export const TRIGGERS = ["scheduled", "on_pull", "on_change"] as const;

export type Trigger = (typeof TRIGGERS)[number];
