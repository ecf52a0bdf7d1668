import type { SyncConfig } from "@drakkar.software/starfish-server";
import { type Context, Hono } from "hono";
import { ConfigurationError } from "../errors.js";
import { authenticateReader, type ReaderAuthOptions } from "./authenticate-reader.js";
import { capExpiryMs } from "./cap-expiry.js";
import type { ChangeFeed } from "./change-feed.js";
import { ChangeLocator, type PageAccess } from "./change-locator.js";
import { EventRing } from "./event-ring.js";
import { createMemoryFeed } from "./memory-feed.js";
import { ReaderStream } from "./reader-stream.js";
import { DEFAULT_HEARTBEAT_MS, SSE } from "./sse-wire.js";

export interface SseChangesOptions extends ReaderAuthOptions {
  /** The primary's configuration: says which collections there are and who may read them. */
  readonly config: SyncConfig;
  /**
   * Who hears of the commits of a page server that this feed was given to: they name ids of databases, which let nobody in, and when these were pushed.
   * Default: nobody.
   */
  readonly pages?: PageAccess;
  /** Events kept for readers that come back. Default 1 024. */
  readonly bufferSize?: number;
  /** A stream is never silent for longer, in milliseconds. Default 15 000. */
  readonly heartbeatMs?: number;
  /** A reader is dropped when more than this waits for it and its connection has taken nothing for a second. Default 64 KiB. */
  readonly maxPendingBytes?: number;
  /** Readers at a time; more get 503. Default 1 000. */
  readonly maxSubscribers?: number;
  /**
   * How long one connection lasts before the reader has to come back and be checked again, in milliseconds; a cap-cert that ends sooner
   * ends it sooner. A tenth less, at random, so that readers do not come back all at once. Default 3 600 000, an hour.
   */
  readonly maxConnectionMs?: number;
  /** Told when `roleEnricher` or an `authorize` hook failed; the reader then does not get that event. Default: a process warning. */
  readonly onError?: (error: unknown) => void;
}

/** The primary's end of the feed over SSE. */
export interface SseChanges extends ChangeFeed {
  /** One route, `GET /changes`. Mount it where `/pull` and `/push` stand: `app.route("/v1", changes.routes)`. */
  readonly routes: Hono;
  /** Readers that are connected now. */
  readonly subscribers: number;
  /** Ends every stream; later ones get 503. A server cannot close before that: the streams are open requests. */
  close(): Promise<void>;
}

/** How soon a reader for whom there is no room may ask again, in seconds. */
const RETRY_AFTER_SEC = "10";

/** Node's timers run out at once above this. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const TIMERS: ReadonlySet<string> = new Set(["heartbeatMs", "roleResolverTimeoutMs"]);

/**
 * A change feed with a Hono route on which readers elsewhere hear of the writes that they may read. `publish` may leave out the `key` where
 * it gives `params`; an event about a collection that is not in `config` reaches nobody. It keeps `bufferSize` events in memory, shared by
 * all readers. Its timer does not keep the process alive.
 * @throws ConfigurationError on limits that cannot work
 */
export function createSseChanges(options: SseChangesOptions): SseChanges {
  const { config, heartbeatMs = DEFAULT_HEARTBEAT_MS, maxPendingBytes = 64 * 1024, maxSubscribers = 1_000 } = options;
  const { bufferSize = 1_024, maxConnectionMs = 3_600_000, onError = warn } = options;
  const { roleResolverTimeoutMs } = options;
  checkLimits({ bufferSize, heartbeatMs, maxPendingBytes, maxSubscribers, maxConnectionMs, roleResolverTimeoutMs });
  checkPages(options.pages);
  const locator = new ChangeLocator(config, options.pages);
  const ring = new EventRing(bufferSize);
  const local = createMemoryFeed();
  const readers = new Set<ReaderStream>();
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const arrive = (reader: ReaderStream): void => {
    readers.add(reader);
    timer ??= setInterval(() => {
      for (const one of readers) one.beat();
    }, heartbeatMs).unref();
  };
  const leave = (reader: ReaderStream): void => {
    readers.delete(reader);
    if (readers.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
  const isFull = (): boolean => closed || readers.size >= maxSubscribers;
  const refuse = (context: Context): Response =>
    context.json({ error: "No room for another reader" }, 503, { "Retry-After": RETRY_AFTER_SEC });

  const routes = new Hono();
  routes.get(SSE.path, async (context) => {
    // Before the nonce is used up, and again after the wait.
    if (isFull()) return refuse(context);
    const access = await authenticateReader(context, locator, options);
    if (access instanceof Response) return access;
    if (isFull()) return refuse(context);
    const headers = {
      "Content-Type": SSE.mediaType,
      "Cache-Control": "no-store, no-transform",
      // nginx would collect events before it hands them on.
      "X-Accel-Buffering": "no",
    };
    if (context.req.method === "HEAD") return context.body(null, 200, headers);
    const reader: ReaderStream = new ReaderStream({
      ring,
      access,
      lastEventId: context.req.header(SSE.lastEventId),
      heartbeatMs,
      maxPendingBytes,
      maxAgeMs: maxConnectionMs * (1 - Math.random() / 10),
      expiresAtMs: capExpiryMs(context.req.header("authorization")),
      kill: connectionKiller(context),
      onError,
      onEnd: () => leave(reader),
    });
    arrive(reader);
    return context.body(reader.stream, 200, headers);
  });

  return {
    routes,
    get subscribers() {
      return readers.size;
    },
    async publish(event) {
      const change = locator.locate(event);
      if (change === null) return;
      ring.push(change);
      for (const reader of readers) reader.published();
      await local.publish(change.event);
    },
    subscribe: (handler, signal) => local.subscribe(handler, signal),
    async close() {
      closed = true;
      for (const reader of readers) reader.end();
    },
  };
}

/**
 * `@hono/node-server` hands the node response in `env`. A stream that fails while the connection is full is noticed too, but it says so
 * on the console.
 */
function connectionKiller({ env }: Context): (() => void) | undefined {
  const { outgoing } = (env ?? {}) as { outgoing?: { destroy?: () => void } };
  return typeof outgoing?.destroy === "function" ? () => outgoing.destroy?.() : undefined;
}

function checkLimits(limits: Readonly<Record<string, number | undefined>>): void {
  const mistakes: string[] = [];
  for (const [name, value] of Object.entries(limits)) {
    if (value === undefined) continue;
    if (typeof value !== "number" || !(value > 0)) mistakes.push(`${name} must be a number above 0`);
    else if (TIMERS.has(name) && value > LONGEST_TIMER_MS) mistakes.push(`${name} must be ${LONGEST_TIMER_MS} at most`);
    else if (name === "bufferSize" && !Number.isInteger(value)) mistakes.push(`${name} must be a whole number`);
  }
  if (mistakes.length > 0) throw new ConfigurationError(mistakes);
}

function checkPages(pages: PageAccess | undefined): void {
  const roles: unknown = pages?.readRoles;
  if (
    pages === undefined ||
    (Array.isArray(roles) && roles.length > 0 && roles.every((role) => typeof role === "string"))
  )
    return;
  throw new ConfigurationError(["pages must be { readRoles: [...] }, with the roles that may hear of commits"]);
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : new Error(String(error)));
}
