import type { LookupFunction } from "node:net";
import type { CallbackUrlRules } from "./callback-url.js";

export interface CallbackHostRules extends CallbackUrlRules {
  /** Default `dns.lookup`. */
  readonly lookup?: LookupFunction;
  /** How long the name may take. In milliseconds. Default 5 000. */
  readonly deadlineMs?: number;
}

/**
 * Tells early what a try would find: `null`, or a sentence that goes on after the field's name where the name of a URL without mistakes leads to
 * addresses only that no callback may go to. A name that is not found, or not in time, may be there later and is no mistake. Proves nothing about
 * later: every try looks again at the address that it has connected to.
 */
export async function callbackHostMistake(url: string, rules: CallbackHostRules): Promise<string | null> {
  throw new Error(`not yet: ${url.length} ${rules.allowPrivate}`);
}
