import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FilesystemObjectStore } from "@drakkar.software/starfish-server/node";
import { createReplicaAuth } from "../../auth/create-replica-auth.js";
import type { ReplicaAuth } from "../../auth/replica-auth.js";
import { DEMO_COLLECTIONS } from "./collections.js";
import { createDemoClient, type DemoClient } from "./demo-client.js";
import { type DemoPrimary, startDemoPrimary } from "./demo-primary.js";
import { type DemoReplica, startDemoReplica } from "./demo-replica.js";

/** A primary and its replica, with a client of each. */
export interface Cluster {
  /** The temporary folder that holds the documents of both. */
  readonly dir: string;
  readonly primary: DemoPrimary;
  readonly replica: DemoReplica;
  /** Signs, with an identity of its own. */
  readonly atPrimary: DemoClient;
  /** Needs no credentials. */
  readonly atReplica: DemoClient;
  /** Closes both servers and removes the folder. The plugin is to be shut down first. */
  stop(): Promise<void>;
}

/**
 * Starts a primary that holds the demo's documents, and a replica of it that has begun to sync.
 * @param replicaPort 0 for any free one
 */
export async function startCluster(replicaPort: number): Promise<Cluster> {
  // Slow, so before there is anything to clean up.
  const [replicaAuth, writerAuth] = await Promise.all([randomIdentity(), randomIdentity()]);
  const dir = await mkdtemp(join(tmpdir(), "starfish-replica-demo-"));
  // For the ways out that wait for nothing, such as a second Ctrl-C.
  const removeNow = () => rmSync(dir, { recursive: true, force: true });
  process.once("exit", removeNow);
  const servers: { stop(): Promise<void> }[] = [];
  const stop = async () => {
    await Promise.all(servers.map((server) => server.stop()));
    await rm(dir, { recursive: true, force: true, maxRetries: 3 });
    process.removeListener("exit", removeNow);
  };

  try {
    const primary = await startDemoPrimary(new FilesystemObjectStore({ baseDir: join(dir, "primary") }));
    servers.push(primary);
    const replica = await startDemoReplica({
      store: new FilesystemObjectStore({ baseDir: join(dir, "replica") }),
      primaryUrl: primary.url,
      auth: replicaAuth,
      port: replicaPort,
    });
    servers.push(replica);
    const atPrimary = createDemoClient(primary.url, writerAuth.fetch);
    for (const { name, seed } of DEMO_COLLECTIONS) if (seed) await atPrimary.push(name, seed, null);
    replica.plugin.manager.start();
    return { dir, primary, replica, atPrimary, atReplica: createDemoClient(replica.url, fetch), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function randomIdentity(): Promise<ReplicaAuth> {
  return createReplicaAuth({ passphrase: randomBytes(16).toString("hex") });
}
