import { createSseFeed } from "../../src/feeds/sse-feed.js";
import { collection } from "../support/collection.js";
import { startTcpProxy } from "../support/tcp-proxy.js";
import { waitFor } from "../support/wait.js";
import {
  type CuttableFeedSetup,
  registerChangeFeedTests,
  registerCuttableFeedTests,
} from "./change-feed-conformance.js";
import { startChangesHost } from "./changes-host.js";

async function setUp(fetchFn?: typeof fetch): Promise<CuttableFeedSetup> {
  const host = await startChangesHost({
    collections: [collection("posts"), collection("pages")],
    namespaces: { eu: [collection("posts", { storagePath: "eu-posts/doc" })] },
  });
  const proxy = await startTcpProxy(host.port);
  const feed = createSseFeed({
    url: `${proxy.origin}/v1/changes`,
    reconnectBaseMs: 20,
    reconnectCapMs: 100,
    ...(fetchFn && { fetchFn }),
  });
  return {
    feed,
    async write(where = "posts") {
      const [name = "", namespace = null] = where.split("/").reverse();
      const key = namespace === null ? `${name}/doc` : `${namespace}-${name}/doc`;
      const { hash } = await host.push(key, namespace === null ? {} : { namespace });
      return { collection: name, namespace, key, hash };
    },
    async cut() {
      await proxy.refuse();
      await waitFor(() => host.changes.subscribers === 0);
    },
    mend: () => proxy.pass(),
  };
}

for (const [how, fetchFn] of [["undici"], ["fetch", fetch]] as const) {
  registerChangeFeedTests(`createSseFeed over ${how}`, () => setUp(fetchFn));
  registerCuttableFeedTests(`createSseFeed over ${how}`, () => setUp(fetchFn));
}
