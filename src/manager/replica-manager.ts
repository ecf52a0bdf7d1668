import type { ObjectStore } from "@drakkar.software/starfish-server";
import type { ForwardedPush } from "../collections/push-through.js";
import type { Verification } from "../collections/verify-document.js";
import type { RemoteConfig } from "../config.js";
import { ReplicaError } from "../errors.js";
import type { WriteMode } from "../modes/write-mode.js";
import type { WriteModePolicy } from "../modes/write-mode-policy.js";
import { ChannelScheduler } from "../scheduler/channel-scheduler.js";
import { guardErrorHandler } from "../scheduler/error-handler.js";
import { DEFAULT_CONCURRENCY, RunLimiter } from "../scheduler/run-limiter.js";
import { SCHEDULE_DEFAULTS } from "../scheduler/schedule.js";
import { followChanges } from "./change-follower.js";
import { collectionSettings } from "./collection-defaults.js";
import { type CollectionParts, type CollectionSurroundings, createCollectionParts } from "./collection-parts.js";
import { type CollectionStatus, collectionStatus } from "./collection-status.js";
import { createTransport } from "./create-transport.js";
import { type ReplicaManagerOptions, verifyManagerArguments } from "./manager-options.js";
import type { RemoteCollection } from "./remote-collection.js";
import { outboxSchedule, pullSchedule } from "./schedules.js";

interface Managed extends CollectionParts {
  readonly collection: RemoteCollection;
}

/**
 * The collections of one replica server, each kept in step with its primary as its write mode says. A collection of a namespace is
 * called `namespace/collection`.
 */
export class ReplicaManager {
  readonly #managed = new Map<string, Managed>();
  readonly #pulls: ChannelScheduler;
  readonly #outboxes: ChannelScheduler;
  readonly #options: ReplicaManagerOptions;
  readonly #transport: ReturnType<typeof createTransport>;
  readonly #onError: (name: string, error: ReplicaError) => void;
  readonly #forwards = new Set<Promise<unknown>>();
  #running = new AbortController();
  #following: AsyncDisposable | null = null;
  #stopping: Promise<void> | null = null;

  /**
   * @throws ConfigurationError that lists every mistake
   */
  constructor(store: ObjectStore, collections: readonly RemoteCollection[], options: ReplicaManagerOptions = {}) {
    verifyManagerArguments(collections, options);
    this.#options = options;
    this.#onError = guardErrorHandler(options.onError);
    this.#transport = createTransport(options);
    const around: CollectionSurroundings = {
      store,
      transport: this.#transport,
      takesProof: ({ pubkey }) => options.auth?.publicKey === undefined || options.auth.publicKey === pubkey,
      pull: (name, when) => (when === "now" ? this.#pulls.wake(name) : this.#pulls.nudge(name)),
      flush: (name, when) => {
        if (!this.#managed.get(name)?.outbox) return;
        when === "now" ? this.#outboxes.wake(name) : this.#outboxes.nudge(name);
      },
      onError: this.#onError,
    };
    for (const collection of collections) {
      const settings = collectionSettings(collection, options);
      this.#managed.set(settings.name, { collection, ...createCollectionParts(settings, around) });
    }
    const managed = [...this.#managed.values()];
    this.#pulls = new ChannelScheduler(managed.map(pullSchedule), options);
    this.#outboxes = new ChannelScheduler(managed.flatMap(outboxSchedule), options);
  }

  /** Syncs every collection once, then each by its triggers. A second call does nothing. */
  start(): void {
    if (this.#stopping) throw new ReplicaError("STOPPED", "stop() is under way: await it before start()");
    this.#pulls.start();
    this.#outboxes.start();
    if (this.#running.signal.aborted) this.#running = new AbortController();
    if (!this.#options.feed || this.#following) return;
    const follower = followChanges([...this.#managed.values()], (name) => this.#pulls.wake(name));
    this.#following = this.#options.feed.subscribe(follower, this.#running.signal);
  }

  /**
   * Aborts what is under way and waits until it has ended. Afterwards nothing of this manager touches the store or the network, and the
   * process may end.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop().finally(() => {
      this.#stopping = null;
    });
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#running.abort(new ReplicaError("STOPPED", "replication is stopped"));
    const following = this.#following;
    this.#following = null;
    await Promise.all([
      this.#pulls.stop(),
      this.#outboxes.stop(),
      following?.[Symbol.asyncDispose](),
      ...this.#forwards,
    ]);
    await this.#transport.close();
  }

  /**
   * Syncs one collection now, or joins its sync under way. Pulls and merges; what is waiting to be sent is the outbox's business.
   * @throws the sync's error; UNKNOWN_COLLECTION; STOPPED after `stop()`
   */
  async syncNow(name: string): Promise<void> {
    await this.#pulls.syncNow(this.#get(name).settings.name);
  }

  /** Syncs every collection. Failures go to `onError`. */
  async syncAll(): Promise<void> {
    await this.#pulls.syncAll();
  }

  /** A client is about to read: syncs first where `on_pull` asks for it, waiting no longer than `onPullMaxWaitMs`. Never rejects. */
  async onPull(name: string): Promise<void> {
    if (this.#managed.has(name)) await this.#pulls.onPull(name);
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
    const forward = pushThrough.forward(rawBody, this.#running.signal);
    this.#forwards.add(forward);
    const { answer, inStep, error } = await forward.finally(() => this.#forwards.delete(forward));
    if (error && error.code !== "STOPPED") this.#onError(name, error);
    const stale = answer.status === 409 || (answer.status >= 200 && answer.status < 300 && !inStep);
    if (stale) {
      await this.#pulls.refresh(settings.name, collection.remote.onPullMaxWaitMs ?? SCHEDULE_DEFAULTS.onPullMaxWaitMs);
    }
    return answer;
  }

  /**
   * A client's write is about to be stored here. Resolves when no merge is half written.
   * @throws LOCAL_STORE; STOPPED
   */
  async beforeLocalWrite(name: string): Promise<void> {
    await this.#managed.get(name)?.merged?.settled();
  }

  /** A client's write was stored here: it is sent on soon. Without this call it is found by the next run. */
  afterLocalWrite(name: string): void {
    const { outbox } = this.#managed.get(name) ?? {};
    if (!outbox) return;
    outbox.pending.noteWrite();
    this.#outboxes.nudge(name);
  }

  /**
   * Sends a dead letter again.
   * @returns whether there was one
   * @throws UNKNOWN_COLLECTION; LOCAL_STORE
   */
  async retryDeadLetter(name: string): Promise<boolean> {
    const { outbox } = this.#get(name);
    if (!outbox || !(await outbox.pending.retry())) return false;
    this.#outboxes.wake(name);
    return true;
  }

  /**
   * Gives up a write that the primary refused. In a `bidirectional` collection the local document becomes the primary's last known one; in a
   * `push_only` one, or where the primary has none, it stays and is not sent until a client writes again.
   * @returns whether there was one, and nobody wrote meanwhile
   * @throws UNKNOWN_COLLECTION; LOCAL_STORE
   */
  async dropDeadLetter(name: string): Promise<boolean> {
    const { outbox, settings } = this.#get(name);
    return (await outbox?.pending.drop(settings.policy.pulls)) ?? false;
  }

  /** Compares every collection with its primary by hash. Changes nothing, here or there; a primary that fails is part of the report. */
  async verify(): Promise<Verification[]> {
    const { verifyDocument } = await import("../collections/verify-document.js");
    const limiter = new RunLimiter(this.#options.concurrency ?? DEFAULT_CONCURRENCY);
    const verify = async (parts: CollectionParts): Promise<Verification> => {
      const place = limiter.enter(false);
      await place.granted;
      return await verifyDocument(parts, this.#running.signal).finally(() => place.release());
    };
    return await Promise.all([...this.#managed.values()].map(verify));
  }

  status(): CollectionStatus[] {
    const sends = new Map(this.#outboxes.status().map((status) => [status.name, status]));
    return this.#pulls
      .status()
      .map((status) => collectionStatus(this.#get(status.name), status, sends.get(status.name)));
  }

  #get(name: string): Managed {
    const managed = this.#managed.get(name);
    if (!managed) {
      throw new ReplicaError("UNKNOWN_COLLECTION", `[ReplicaManager] Unknown remote collection: "${name}"`);
    }
    return managed;
  }
}

function notForwarding(name: string, mode: WriteMode): ReplicaError {
  return new ReplicaError(
    "INVALID_CONFIGURATION",
    `[ReplicaManager] "${name}" is ${mode}: only push_through forwards writes`,
  );
}
