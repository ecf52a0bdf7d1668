import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { type PullResult, pull } from "@drakkar.software/starfish-server";
import type { Cluster } from "./cluster.js";

/** Something that was to be so. */
export interface Fact {
  /** The collection and its mode, or what else it is about. */
  readonly about: string;
  readonly what: string;
  /** `null` when it is so, else what was found instead. */
  readonly difference: string | null;
}

/** Compares what was found with what was to be found. */
type Verify = (what: string, found: unknown, expected: unknown) => void;

/** How long something may take that is to happen by itself. */
const PATIENCE_MS = 10_000;
const LOOK_EVERY_MS = 20;

const ROUND: readonly (readonly [about: string, part: (cluster: Cluster, verify: Verify) => Promise<void>])[] = [
  ["prices, pull_only", verifyPullOnly],
  ["stock, push_through", verifyPushThrough],
  ["notes, bidirectional", verifyBidirectional],
  ["sales, push_only", verifyPushOnly],
  ["requests to the primary", verifySignatures],
];

/** Tries out the four modes over HTTP, one after the other, and tells each fact. A part that fails half way is a fact that differs. */
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

async function verifyPullOnly({ atPrimary, atReplica }: Cluster, verify: Verify): Promise<void> {
  const hash = await atPrimary.update("prices", (prices) => ({ ...prices, bread: 330 }));
  const arrived = await eventually(
    () => atReplica.pull("prices"),
    (copy) => copy.hash === hash,
  );
  verify(`the primary's change arrives: both have ${hash.slice(0, 12)}`, arrived.hash, hash);
  const refused = await atReplica.push("prices", { bread: 1 }, hash);
  verify("a client's write is refused with 405", refused.status, 405);
  verify("and has changed nothing", (await atReplica.pull("prices")).hash, hash);
}

async function verifyPushThrough({ atPrimary, atReplica, replica }: Cluster, verify: Verify): Promise<void> {
  const before = await atReplica.pull("stock");
  const answer = await atReplica.push("stock", { ...before.data, apples: 39 }, before.hash);
  // Past HTTP: a read would sync this collection.
  const local = await stored(replica, "stock");
  verify("a client's write is answered 200", answer.status, 200);
  verify("the local copy was in step when the answer came", local.hash, answer.hash);
  verify("the primary has the write", (await atPrimary.pull("stock")).hash, answer.hash);
  const outdated = await atReplica.push("stock", { apples: 0 }, before.hash);
  verify("a write that starts from an old hash gets the primary's 409", outdated.status, 409);
}

async function verifyBidirectional({ atPrimary, atReplica, replica }: Cluster, verify: Verify): Promise<void> {
  const before = await atReplica.pull("notes");
  const written = await atReplica.push("notes", { ...before.data, shop: "written here" }, before.hash);
  verify("a client's write is stored here at once", written.status, 200);
  await atPrimary.update("notes", (notes) => ({ ...notes, office: "written at the primary" }));
  const both = { office: "written at the primary", shop: "written here" };
  const merged = await eventually(
    () => atReplica.pull("notes"),
    ({ data }) => isDeepStrictEqual(data, both),
  );
  verify("the primary's change to another field is merged in: both are here", merged.data, both);
  await replica.plugin.manager.syncNow("notes");
  verify("one more poll keeps both", (await atReplica.pull("notes")).data, both);
}

async function verifyPushOnly({ atReplica, replica }: Cluster, verify: Verify): Promise<void> {
  const written = await atReplica.push("sales", { sold: 1 }, null);
  verify("a client's write is answered 200", written.status, 200);
  verify("and is stored here", (await stored(replica, "sales")).data, { sold: 1 });
  verify("a read is refused with 405", (await atReplica.pull("sales")).status, 405);
  const batch = await fetch(`${replica.url}/batch/pull?collections=sales`);
  const { collections } = (await batch.json()) as { collections: unknown };
  verify("and so is one in a batch", collections, {
    sales: [{ error: replica.plugin.manager.policyFor("sales")?.refusesReads?.error }],
  });
}

async function verifySignatures({ primary }: Cluster, verify: Verify): Promise<void> {
  const { signed, refused } = primary.requests;
  verify(`all ${signed} of them were signed`, refused, 0);
  const unsigned = await fetch(`${primary.url}/pull/prices`);
  await unsigned.arrayBuffer();
  verify("one without a signature is refused with 401", unsigned.status, 401);
}

function stored({ store }: Cluster["replica"], collection: string): Promise<PullResult> {
  return pull(store, collection);
}

/** Looks until it is so, or patience is at an end, and gives what was seen last. */
async function eventually<T>(look: () => Promise<T>, isSo: (seen: T) => boolean): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const seen = await look();
    if (isSo(seen) || performance.now() > deadline) return seen;
    await sleep(LOOK_EVERY_MS);
  }
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}
