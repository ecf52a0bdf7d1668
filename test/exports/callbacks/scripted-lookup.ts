import type { LookupAddress } from "node:dns";
import { isIP, type LookupFunction } from "node:net";

/** A `lookup` whose answers the test writes. */
export interface ScriptedLookup {
  readonly lookup: LookupFunction;
  /** The names that were asked for. */
  readonly asked: string[];
}

/** Gives one entry per question, the last one for ever. */
export function scriptedLookup(...answers: readonly (readonly string[])[]): ScriptedLookup {
  const asked: string[] = [];
  return {
    asked,
    lookup(hostname, _options, callback) {
      const answer = answers[Math.min(asked.length, answers.length - 1)] ?? [];
      asked.push(hostname);
      process.nextTick(() => {
        if (answer.length > 0) return callback(null, answer.map(entry));
        callback(Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), { code: "ENOTFOUND" }), []);
      });
    },
  };
}

/** A resolver that lies to whoever asks first: what is judged is one address, what is connected to another. */
export function forkedLookup(judged: string, connected: string): LookupFunction {
  return (_hostname, _options, callback) => {
    let reads = 0;
    const forked = {
      family: 4,
      get address(): string {
        reads += 1;
        return reads === 1 ? judged : connected;
      },
    };
    process.nextTick(() => callback(null, [forked]));
  };
}

function entry(address: string): LookupAddress {
  return { address, family: isIP(address) };
}
