import { documentHash } from "../protocol/canonical-json.js";
import { applyMergeRule } from "./merge-rule.js";
import type { Reconcile } from "./reconcile.js";
import { mergeThreeWay } from "./three-way-merge.js";

/** Both sides' changes since the base; see {@link mergeThreeWay}. The primary's proof stays where its document won as a whole. */
export const merge: Reconcile = ({ local, remote, base, rule, ...options }) => {
  if (!local) return remote;
  const input = { base, local: local.data, remote: remote.data };
  const data = rule ? applyMergeRule(rule, input) : mergeThreeWay(input, options);
  const hash = documentHash(data);
  if (hash === documentHash(remote.data)) return local.hash === remote.hash ? null : remote;
  if (hash === documentHash(local.data)) return null;
  return { data, hash, proof: null };
};
