import { resolve as toAbsolute } from "node:path";
import { showValue } from "../config/show-value.js";
import { ConfigurationError } from "../errors.js";
import type { ChangeFeed } from "../feeds/change-feed.js";
import type { Channel, SyncOutcome } from "../scheduler/channel.js";
import { beforeAbort } from "../threads/before-abort.js";
import { booleanMistakes, isRecord, unknownMistakes } from "./option-shape.js";
import type { PageClient } from "./page-client.js";
import { createSlicedWork } from "./sliced-work.js";
import { fileMistakes, tokenMistakes } from "./sync-request-mistakes.js";

/** What `createPageChannel` takes. */
export interface PageChannelOptions {
  /** Of the channel, unique within one scheduler. */
  readonly name: string;
  readonly client: PageClient;
  /** Path of the SQLite file that follows the server's database. */
  readonly file: string;
  /** A sync token for a pull, or what gets one: asked before each sync, since tokens end. */
  readonly token: string | (() => Promise<string>);
  /** Where the server announces its commits: for the `on_change` trigger. Without one that trigger hears of nothing. */
  readonly feed?: ChangeFeed;
  /** Id of the database, whose commits wake the channel. Default: learned from the first sync; until then every commit does. */
  readonly database?: string;
  /** As in `PageSyncRequest`. */
  readonly force?: boolean;
  readonly check?: boolean;
}

/** The namespace in which a page server announces its commits; `collection` is the id of the database. */
const NAMESPACE = "pages";

const KNOWN: Readonly<Record<keyof PageChannelOptions, true>> = {
  name: true,
  client: true,
  file: true,
  token: true,
  feed: true,
  database: true,
  force: true,
  check: true,
};

/** After so long a pull that goes on gives the scheduler a sign of life: its deadline is for a run that hangs, not for a file that is large. */
const SLICE_MS = 20_000;

/**
 * Keeps a local file following a database on a page server, on the scheduler's triggers: each run is a pull, however long that takes. Client and feed stay
 * the caller's to close.
 * @throws ConfigurationError with all that is wrong with the options
 */
export function createPageChannel(options: PageChannelOptions, sliceMs: number = SLICE_MS): Channel {
  const mistakes = channelMistakes(options);
  if (mistakes.length > 0) throw new ConfigurationError(mistakes);
  const { name, client, token, feed, force, check } = options;
  const file = toAbsolute(options.file);
  let database = options.database ?? null;

  const pull = async (signal: AbortSignal): Promise<SyncOutcome> => {
    const current = typeof token === "string" ? token : await beforeAbort(Promise.resolve(token()), signal);
    const request = {
      file,
      token: current,
      ...(force !== undefined && { force }),
      ...(check !== undefined && { check }),
    };
    const result = await client.pull(request, signal);
    database = options.database ?? result.database;
    return { changed: result.changed, items: result.pagesTransferred, bytes: result.bytesReceived };
  };
  const work = createSlicedWork(pull, sliceMs);
  const channel: Channel = { name, sync: ({ signal }) => work.goOn(signal), close: () => work.end() };
  if (feed === undefined) return channel;
  return {
    ...channel,
    async watch(wake, signal) {
      const handler = {
        change: (event: { readonly namespace: string | null; readonly collection: string }) => {
          if (event.namespace !== NAMESPACE) return;
          // A commit that came during the first sync may be newer than what that brings.
          if (database === null || event.collection === database) wake();
        },
        gap: wake,
      };
      const subscription = feed.subscribe(handler, signal);
      try {
        await aborted(signal);
      } finally {
        await subscription[Symbol.asyncDispose]();
      }
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function channelMistakes(options: PageChannelOptions): readonly string[] {
  if (!isRecord(options)) return ["the options of createPageChannel must be an object"];
  const { name, client, file, token, feed, database } = options;
  const mistakes = [
    ...unknownMistakes(options, Object.keys(KNOWN)),
    ...fileMistakes(file),
    ...(typeof token === "function" ? [] : tokenMistakes(token)),
    ...booleanMistakes(options, ["force", "check"]),
  ];
  if (typeof name !== "string" || name === "") mistakes.push(`name must be a text, got ${showValue(name)}`);
  if (typeof client?.pull !== "function") mistakes.push("client must be what createPageClient returns");
  if (feed !== undefined && typeof feed?.subscribe !== "function") {
    mistakes.push("feed must be a change feed, as createMemoryFeed and createSseFeed return");
  }
  if (database !== undefined && (typeof database !== "string" || database === "")) {
    mistakes.push(`database must be the id of a database, got ${showValue(database)}`);
  }
  return mistakes;
}
