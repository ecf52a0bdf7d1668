import { type LookupAddress, lookup as systemLookup } from "node:dns";
import type { LookupFunction } from "node:net";
import { addressLiteral, type CallbackUrlRules } from "./callback-url.js";
import { addressKind, mayGoTo } from "./public-address.js";

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
  const { allowPrivate, lookup = systemLookup, deadlineMs = 5_000 } = rules;
  const { hostname } = new URL(url);
  if (addressLiteral(hostname) !== null) return null;
  const addresses = await addressesOf(hostname, lookup, deadlineMs);
  if (addresses.length === 0 || addresses.some(({ address }) => mayGoTo(address, allowPrivate))) return null;
  if (addresses.every(({ address }) => addressKind(address) === "refused")) {
    return `must not lead to "${hostname}", whose address is one that no callback goes to`;
  }
  return `must not lead to "${hostname}", whose address is private (callbacks.allowPrivate allows it)`;
}

/** None where the name is not found, or not in time. */
async function addressesOf(
  hostname: string,
  lookup: LookupFunction,
  deadlineMs: number,
): Promise<readonly LookupAddress[]> {
  return await new Promise((resolve) => {
    const timer = setTimeout(() => resolve([]), deadlineMs);
    lookup(hostname, { all: true }, (error, answer, family) => {
      clearTimeout(timer);
      if (error !== null) resolve([]);
      else resolve(Array.isArray(answer) ? answer : [{ address: answer, family: family ?? 0 }]);
    });
  });
}
