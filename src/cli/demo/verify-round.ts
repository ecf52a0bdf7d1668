import { isDeepStrictEqual } from "node:util";
import type { Cluster } from "./cluster.js";
import type { Fact, RoundPart, Verify } from "./fact.js";
import { MODES } from "./verify-modes.js";
import { verifyOutage } from "./verify-outage.js";

const ROUND: readonly RoundPart[] = [
  ...MODES,
  ["the primary stopped and started", verifyOutage],
  ["requests to the primary", verifySignatures],
];

/** Tries out the four modes and an outage over HTTP, one after the other, and tells each fact. A part that fails half way is a fact that differs. */
export async function verifyRound(cluster: Cluster, tell: (fact: Fact) => void): Promise<void> {
  for (const [about, part] of ROUND) {
    const verify: Verify = (what, found, expected) => {
      const equal = isDeepStrictEqual(found, expected);
      tell({ about, what, difference: equal ? null : `expected ${show(expected)}, found ${show(found)}` });
    };
    await part(cluster, verify).catch((error: unknown) => {
      tell({ about, what: "the round goes through", difference: error instanceof Error ? error.message : show(error) });
    });
  }
}

async function verifySignatures({ primary }: Cluster, verify: Verify): Promise<void> {
  const { signed, refused } = primary.requests;
  verify(`all ${signed} of them were signed`, refused, 0);
  const unsigned = await fetch(`${primary.url}/pull/prices`);
  await unsigned.arrayBuffer();
  verify("one without a signature is refused with 401", unsigned.status, 401);
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}
