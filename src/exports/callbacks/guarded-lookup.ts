import { type LookupAddress, lookup as systemLookup } from "node:dns";
import type { LookupFunction } from "node:net";
import { ReplicaError } from "../../errors.js";
import { mayGoTo } from "./public-address.js";

export interface GuardedLookupOptions {
  readonly allowPrivate: boolean;
  /** Default `dns.lookup`. */
  readonly lookup?: LookupFunction;
}

/**
 * A `lookup` for sockets that gives of a name's addresses only those that a callback may go to. Where none is left it fails with
 * `CALLBACK_REFUSED`, which names no address: who may start exports need not learn what the own network's names lead to.
 */
export function createGuardedLookup({ allowPrivate, lookup = systemLookup }: GuardedLookupOptions): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, answer, family) => {
      if (error !== null) return callback(error, "", 0);
      const all: LookupAddress[] = Array.isArray(answer) ? answer : [{ address: answer, family: family ?? 0 }];
      const allowed = all.filter(({ address }) => mayGoTo(address, allowPrivate));
      const [first] = allowed;
      if (first === undefined) return callback(addressRefused(), "", 0);
      if (options.all === true) return callback(null, allowed);
      callback(null, first.address, first.family);
    });
  };
}

/** What stands for "there, no callback goes". */
export function addressRefused(): ReplicaError {
  return new ReplicaError("CALLBACK_REFUSED", "leads to an address that callbacks may not go to", {
    hint: "Use a receiver on the public internet, or set callbacks.allowPrivate where it stands in the own network.",
  });
}
