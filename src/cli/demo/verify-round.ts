import type { Cluster } from "./cluster.js";
import type { Fact, RoundPart, Verify } from "./fact.js";
import { MODES } from "./verify-modes.js";
import { verifyOutage } from "./verify-outage.js";
import { verifyParts } from "./verify-parts.js";

const ROUND: readonly RoundPart<Cluster>[] = [
  ...MODES,
  ["the primary stopped and started", verifyOutage],
  ["requests to the primary", verifySignatures],
];

/** Tries out the four modes and an outage over HTTP, one after the other, and tells each fact. */
export async function verifyRound(cluster: Cluster, tell: (fact: Fact) => void): Promise<void> {
  await verifyParts(ROUND, cluster, tell);
}

async function verifySignatures({ primary }: Cluster, verify: Verify): Promise<void> {
  const { signed, refused } = primary.requests;
  verify(`all ${signed} of them were signed`, refused, 0);
  const unsigned = await fetch(`${primary.url}/pull/prices`);
  await unsigned.arrayBuffer();
  verify("one without a signature is refused with 401", unsigned.status, 401);
}
