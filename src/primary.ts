import type { ServerPlugin, SyncConfig } from "@drakkar.software/starfish-server";
import type { ChangeEvent, ChangeFeed } from "./feeds/change-feed.js";
import { ChangeLocator } from "./feeds/change-locator.js";

export interface PrimaryPluginOptions {
  /** Where writes are announced. One that has a `close` is closed at shutdown. */
  readonly feed: ChangeFeed & { close?(): Promise<void> };
  /**
   * The server's configuration, for a feed that does not have it: only with it do events carry the document's key. `createSseChanges`
   * finds the key by itself. Default none.
   */
  readonly syncConfig?: SyncConfig;
  /** Told when an announcement failed; the write has succeeded all the same. Default: a process warning. */
  readonly onError?: (error: unknown) => void;
}

/**
 * The plugin of a primary: announces on a change feed each write that came in over HTTP. A client's write waits for no feed, and none that
 * fails makes it fail.
 */
export function createPrimaryServerPlugin(options: PrimaryPluginOptions): ServerPlugin {
  const { feed, syncConfig, onError = warn } = options;
  const locator = syncConfig && new ChangeLocator(syncConfig);
  const announce = async (written: ChangeEvent): Promise<void> => {
    try {
      await feed.publish(locator?.locate(written)?.event ?? written);
    } catch (error) {
      onError(error);
    }
  };
  return {
    name: "starfish-replica-primary",
    async afterWrite({ collection, namespace = null, hash, timestamp, params }) {
      // Not awaited: the host answers the client after this.
      announce({ collection, namespace, key: "", hash, timestamp, params }).catch(warn);
    },
    shutdown: async () => await feed.close?.(),
  };
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : new Error(String(error)));
}
