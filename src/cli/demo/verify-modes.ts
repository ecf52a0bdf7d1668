import { isDeepStrictEqual } from "node:util";
import { pull } from "@drakkar.software/starfish-server";
import type { Cluster } from "./cluster.js";
import { eventually } from "./eventually.js";
import type { RoundPart, Verify } from "./fact.js";

/** What each write mode promises. */
export const MODES: readonly RoundPart<Cluster>[] = [
  ["prices, pull_only", verifyPullOnly],
  ["stock, push_through", verifyPushThrough],
  ["notes, bidirectional", verifyBidirectional],
  ["sales, push_only", verifyPushOnly],
];

async function verifyPullOnly({ primary, atPrimary, atReplica, replica }: Cluster, verify: Verify): Promise<void> {
  const listening = await eventually(
    () => primary.listeners,
    (listeners) => listeners > 0,
  );
  verify("the replica listens to the primary's feed", listening.seen, 1);
  const hash = await atPrimary.update("prices", (prices) => ({ ...prices, bread: 330 }));
  const { seen: arrived, ms } = await eventually(
    () => atReplica.pull("prices"),
    (copy) => copy.hash === hash,
  );
  verify(`a change at the primary was here ${ms} ms later`, arrived.hash, hash);
  const triggers = replica.plugin.manager.remoteFor("prices")?.syncTriggers;
  verify("and nobody polled for it: the feed is the only trigger", triggers, ["on_change"]);
  const refused = await atReplica.push("prices", { bread: 1 }, hash);
  verify("a client's write is refused with 405", refused.status, 405);
  verify("and has changed nothing", (await atReplica.pull("prices")).hash, hash);
}

async function verifyPushThrough({ atPrimary, atReplica, replica }: Cluster, verify: Verify): Promise<void> {
  const before = await atReplica.pull("stock");
  const answer = await atReplica.push("stock", { ...before.data, apples: 39 }, before.hash);
  // Past HTTP: a read would sync this collection.
  const local = await pull(replica.store, "stock");
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
  const hasBoth = ({ data }: { readonly data: unknown }) => isDeepStrictEqual(data, both);
  const merged = await eventually(() => atReplica.pull("notes"), hasBoth);
  verify("the primary's change to another field is merged in: both are here", merged.seen.data, both);
  const sent = await eventually(() => atPrimary.pull("notes"), hasBoth);
  verify("the outbox has sent the client's: both are at the primary", sent.seen.data, both);
  await replica.plugin.manager.syncNow("notes");
  verify("one more poll keeps both", (await atReplica.pull("notes")).data, both);
}

async function verifyPushOnly({ atPrimary, atReplica, replica }: Cluster, verify: Verify): Promise<void> {
  const written = await atReplica.push("sales", { sold: 1 }, null);
  verify("a client's write is answered 200", written.status, 200);
  verify("and is stored here", (await pull(replica.store, "sales")).data, { sold: 1 });
  const { seen: sent, ms } = await eventually(
    () => atPrimary.pull("sales"),
    ({ hash }) => hash === written.hash,
  );
  verify(`the outbox had it at the primary ${ms} ms later`, sent.data, { sold: 1 });
  verify("a read is refused with 405", (await atReplica.pull("sales")).status, 405);
  const batch = await fetch(`${replica.url}/batch/pull?collections=sales`);
  const { collections } = (await batch.json()) as { collections: unknown };
  verify("and so is one in a batch", collections, {
    sales: [{ error: replica.plugin.manager.policyFor("sales")?.refusesReads?.error }],
  });
}
