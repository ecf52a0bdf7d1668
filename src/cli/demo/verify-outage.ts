import { isDeepStrictEqual } from "node:util";
import { pull } from "@drakkar.software/starfish-server";
import type { Cluster } from "./cluster.js";
import { eventually } from "./eventually.js";
import type { Verify } from "./fact.js";

const NOTE = "written while the primary was stopped";
const SALE = { sold: 2 };
const WRITTEN = ["notes", "sales"];

/** That a primary which is away for a while costs nobody a write, and readers nothing but freshness. */
export async function verifyOutage(cluster: Cluster, verify: Verify): Promise<void> {
  await cluster.primary.stop();
  try {
    await verifyStopped(cluster, verify);
  } finally {
    await cluster.primary.start();
  }
  await verifyStarted(cluster, verify);
}

async function verifyStopped({ primary, atReplica, replica }: Cluster, verify: Verify): Promise<void> {
  const notes = await atReplica.pull("notes");
  verify("stopped: a client still reads what is here", notes.status, 200);
  const sales = await pull(replica.store, "sales");
  const note = await atReplica.push("notes", { ...notes.data, shop: NOTE }, notes.hash);
  const sale = await atReplica.push("sales", SALE, sales.hash || null);
  verify("stopped: a client's writes of notes and sales are answered 200", [note.status, sale.status], [200, 200]);
  const tried = await eventually(
    () => replica.plugin.manager.status().filter(({ outbox }) => outbox?.lastError?.code === "PRIMARY_UNREACHABLE"),
    ({ length }) => length === WRITTEN.length,
  );
  const waiting = tried.seen.filter(({ outbox }) => outbox?.pendingSince).map(({ collection }) => collection);
  verify("both wait in the outbox, which finds no primary", waiting, WRITTEN);
  verify("neither is at the primary", await arrivedAt(primary), [false, false]);
}

async function verifyStarted({ primary, atPrimary, atReplica }: Cluster, verify: Verify): Promise<void> {
  const { seen: arrived, ms } = await eventually(
    () => arrivedAt(primary),
    (seen) => seen.every(Boolean),
  );
  verify(`started again: both are at the primary ${ms} ms later`, arrived, [true, true]);
  const hash = await atPrimary.update("prices", (prices) => ({ ...prices, milk: 150 }));
  const followed = await eventually(
    () => atReplica.pull("prices"),
    (copy) => copy.hash === hash,
  );
  verify("and the replica follows its feed again", followed.seen.hash, hash);
}

/** Which of the two writes the primary has: looked up past HTTP, for it may be stopped. */
async function arrivedAt({ store }: Cluster["primary"]): Promise<boolean[]> {
  const [notes, sales] = await Promise.all(WRITTEN.map((name) => pull(store, name)));
  return [notes?.data.shop === NOTE, isDeepStrictEqual(sales?.data, SALE)];
}
