import { bidirectional } from "./bidirectional.js";
import { pullOnly } from "./pull-only.js";
import { pushOnly } from "./push-only.js";
import { pushThrough } from "./push-through.js";
import type { WriteMode } from "./write-mode.js";
import type { WriteModePolicy } from "./write-mode-policy.js";

/** Every write mode's policy, by its name in the configuration. */
export const POLICIES: Readonly<Record<WriteMode, WriteModePolicy>> = {
  pull_only: pullOnly,
  push_through: pushThrough,
  bidirectional,
  push_only: pushOnly,
};
