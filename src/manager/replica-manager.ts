import type { ObjectStore } from "@drakkar.software/starfish-server";
import { createFetchTransport } from "../collections/fetch-transport.js";
import type { ForwardedPush } from "../collections/push-through.js";
import { createSignedTransport } from "../collections/signed-transport.js";
import type { Transport } from "../collections/transport.js";
import { createUndiciTransport } from "../collections/undici-transport.js";
import type { RemoteConfig } from "../config.js";
import { ReplicaError } from "../errors.js";
import type { WriteMode } from "../modes/write-mode.js";
import type { WriteModePolicy } from "../modes/write-mode-policy.js";
import { ChannelScheduler, type ScheduledChannel } from "../scheduler/channel-scheduler.js";
import { guardErrorHandler } from "../scheduler/error-handler.js";
import { MAX_TIMER_MS } from "../scheduler/max-timer.js";
import type { ChannelStatus } from "../scheduler/run-ledger.js";
import { SCHEDULE_DEFAULTS, type Schedule } from "../scheduler/schedule.js";
import { collectionSettings } from "./collection-defaults.js";
import { type CollectionParts, createCollectionParts } from "./collection-parts.js";
import { type ReplicaManagerOptions, verifyManagerArguments } from "./manager-options.js";
import type { RemoteCollection } from "./remote-collection.js";

/** What one collection has done and is about to do. */
export interface CollectionStatus extends ChannelStatus {
  readonly collection: string;
  readonly namespace: string | null;
  readonly writeMode: WriteMode;
  /** URL that is pulled. */
  readonly primary: string;
  /** Since when the primary has had no document; ISO 8601, or `null`. */
  readonly missingSince: string | null;
}

interface Managed extends CollectionParts {
  readonly collection: RemoteCollection;
}

/**
 * The collections of one replica server, each kept in step with its primary as its write mode says. A collection of a namespace is
 * called `namespace/collection`.
 */
export class ReplicaManager {
  readonly #managed = new Map<string, Managed>();
  readonly #scheduler: ChannelScheduler;
  readonly #transport: Transport;
  readonly #onError: (name: string, error: ReplicaError) => void;
  #forwarding = new AbortController();
  readonly #forwards = new Set<Promise<unknown>>();

  /**
   * @throws ConfigurationError that lists every mistake
   */
  constructor(store: ObjectStore, collections: readonly RemoteCollection[], options: ReplicaManagerOptions = {}) {
    verifyManagerArguments(collections, options);
    this.#onError = guardErrorHandler(options.onError);
    this.#transport = createTransport(options);
    for (const collection of collections) {
      const settings = collectionSettings(collection, options);
      this.#managed.set(settings.name, { collection, ...createCollectionParts(store, settings, this.#transport) });
    }
    this.#scheduler = new ChannelScheduler([...this.#managed.values()].map(scheduled), options);
  }

  /** Syncs every collection once, then each by its triggers. A second call does nothing. */
  start(): void {
    this.#scheduler.start();
    if (this.#forwarding.signal.aborted) this.#forwarding = new AbortController();
  }

  /**
   * Aborts what is under way and waits until it has ended. Afterwards nothing of this manager touches the store or the network, and the
   * process may end.
   */
  async stop(): Promise<void> {
    this.#forwarding.abort(new ReplicaError("STOPPED", "replication is stopped"));
    await Promise.all([this.#scheduler.stop(), ...this.#forwards]);
    await this.#transport.close();
  }

  /**
   * Syncs one collection now, or joins its sync under way.
   * @throws the sync's error; UNKNOWN_COLLECTION; STOPPED after `stop()`
   */
  async syncNow(name: string): Promise<void> {
    await this.#scheduler.syncNow(this.#get(name).settings.name);
  }

  /** Syncs every collection. Failures go to `onError`. */
  async syncAll(): Promise<void> {
    await this.#scheduler.syncAll();
  }

  /** A client is about to read: syncs first where `on_pull` asks for it, waiting no longer than `onPullMaxWaitMs`. Never rejects. */
  async onPull(name: string): Promise<void> {
    if (this.#managed.has(name)) await this.#scheduler.onPull(name);
  }

  /** The configuration of a replicated collection, or `undefined`. */
  remoteFor(name: string): RemoteConfig | undefined {
    return this.#managed.get(name)?.collection.remote;
  }

  /** What the collection's write mode means, or `undefined` where it is not replicated. */
  policyFor(name: string): WriteModePolicy | undefined {
    return this.#managed.get(name)?.settings.policy;
  }

  /**
   * Forwards a client's push to the primary and gives back the primary's own answer. After a success the local copy is in step when this
   * resolves, unless the primary takes longer than `onPullMaxWaitMs` to show it.
   * @returns 413 for a body over the collection's `maxBodyBytes`; 502, 503 or 504 where there is no answer of the primary's
   * @throws UNKNOWN_COLLECTION; INVALID_CONFIGURATION for a collection that is not `push_through`
   */
  async proxyPush(name: string, rawBody: string): Promise<ForwardedPush> {
    const { pushThrough, collection, settings } = this.#get(name);
    if (!pushThrough) throw notForwarding(name, settings.policy.mode);
    if (Buffer.byteLength(rawBody) > (collection.maxBodyBytes ?? Number.POSITIVE_INFINITY)) {
      return { status: 413, body: { error: "Payload too large" } };
    }
    const forward = pushThrough.forward(rawBody, this.#forwarding.signal);
    this.#forwards.add(forward);
    const { answer, inStep, error } = await forward.finally(() => this.#forwards.delete(forward));
    if (error && error.code !== "STOPPED") this.#onError(name, error);
    const stale = answer.status === 409 || (answer.status >= 200 && answer.status < 300 && !inStep);
    if (stale) {
      await this.#scheduler.refresh(
        settings.name,
        collection.remote.onPullMaxWaitMs ?? SCHEDULE_DEFAULTS.onPullMaxWaitMs,
      );
    }
    return answer;
  }

  /**
   * A client's write is about to be stored here. Resolves when no merge is half written.
   * @throws LOCAL_STORE
   */
  async beforeLocalWrite(name: string): Promise<void> {
    await this.#managed.get(name)?.merged?.settled();
  }

  status(): CollectionStatus[] {
    return this.#scheduler.status().map((status) => {
      const { settings, channel } = this.#get(status.name);
      return {
        ...status,
        collection: settings.collection,
        namespace: settings.namespace,
        writeMode: settings.policy.mode,
        primary: settings.pullUrl,
        missingSince: channel.missingSince,
      };
    });
  }

  #get(name: string): Managed {
    const managed = this.#managed.get(name);
    if (!managed) throw unknownCollection(name);
    return managed;
  }
}

function createTransport({ fetchFn, auth, concurrency }: ReplicaManagerOptions): Transport {
  if (fetchFn) return createFetchTransport(fetchFn);
  const pool = createUndiciTransport(concurrency === undefined ? {} : { connections: concurrency });
  return auth ? createSignedTransport(pool, auth) : pool;
}

function scheduled({ channel, collection: { remote }, settings }: Managed): ScheduledChannel {
  const schedule: Schedule = {
    // A mode that pulls nothing has nothing to do on a timer or a read.
    triggers: settings.policy.reconcile ? remote.syncTriggers : [],
    intervalMs: remote.intervalMs ?? SCHEDULE_DEFAULTS.intervalMs,
    onPullMinIntervalMs: remote.onPullMinIntervalMs ?? SCHEDULE_DEFAULTS.onPullMinIntervalMs,
    onPullMaxWaitMs: remote.onPullMaxWaitMs ?? SCHEDULE_DEFAULTS.onPullMaxWaitMs,
    // Room for the retries of one pull.
    runTimeoutMs: Math.min(MAX_TIMER_MS, 3 * settings.requestTimeoutMs + 10_000),
  };
  return { channel, schedule, group: new URL(settings.pullUrl).origin };
}

function unknownCollection(name: string): ReplicaError {
  return new ReplicaError("UNKNOWN_COLLECTION", `[ReplicaManager] Unknown remote collection: "${name}"`);
}

function notForwarding(name: string, mode: WriteMode): ReplicaError {
  return new ReplicaError(
    "INVALID_CONFIGURATION",
    `[ReplicaManager] "${name}" is ${mode}: only push_through forwards writes`,
  );
}
