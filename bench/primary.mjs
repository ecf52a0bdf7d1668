/**
 * The primary that both contenders talk to: a real starfish-server over `@hono/node-server`, in a process of its own. Its argument is JSON:
 * `collections`, how many (`c0`, `c1`, ...); `auth`, `public` or `cap-cert`; `feed`, options for our change feed over SSE, which is mounted
 * only with it; `port`, where the port stays closed until the command `open`. It tells its parent `{ port, controlPort }`, and ends with its
 * parent. What a scenario asks of it comes in through the control port, so that only replication is counted at the other one.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import {
  createCapCertRoleResolver,
  createInMemoryNonceCache,
  createInMemoryRevocationStore,
  createSyncRouter,
  MemoryObjectStore,
  pull,
  push,
} from "@drakkar.software/starfish-server";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { serverCollection } from "./support/collections.mjs";
import { CONTENDERS, FEEDS } from "./support/contender.mjs";
import { countTraffic } from "./support/count-traffic.mjs";
import { createDocument } from "./support/documents.mjs";
import { WatchedDocuments } from "./support/watched-documents.mjs";

const { collections: count = 1, auth = "public", feed, port = 0 } = JSON.parse(process.argv[2] ?? "{}");
const signed = auth === "cap-cert";
const roles = signed
  ? { readRoles: ["cap:read:*"], writeRoles: ["cap:write:*"] }
  : { readRoles: ["public"], writeRoles: ["public"] };

const data = new WatchedDocuments();
const store = new MemoryObjectStore(data);
const config = {
  version: 1,
  collections: Array.from({ length: count }, (_, index) => serverCollection(`c${index}`, roles)),
};
const roleResolver = signed
  ? createCapCertRoleResolver({
      nonceCache: createInMemoryNonceCache({ perSignerLimit: 10_000_000, maxEntries: 10_000_000 }),
      revocationStore: createInMemoryRevocationStore(),
      allowAnonymous: false,
      maxBodyBytes: 64 * 1024 * 1024,
    })
  : async () => ({ identity: "", roles: ["public"] });
const changes = feed && (await createFeed());
const router = createSyncRouter({ store, config, plugins: changes ? [changes.plugin] : [], roleResolver });
const app = new Hono();
if (changes) app.route("/v1", changes.feed.routes);
app.route("/v1", router);
const server = createServer(getRequestListener(app.fetch));
const traffic = countTraffic(server);

async function createFeed() {
  const [{ createPrimaryServerPlugin }, { createSseChanges }] = await Promise.all(
    [CONTENDERS.ours, FEEDS].map((specifier) => import(specifier)),
  );
  const sse = createSseChanges({ config, roleResolver, ...feed });
  return { feed: sse, plugin: createPrimaryServerPlugin({ feed: sse }) };
}

const commands = {
  clear() {
    data.clear();
  },
  /** Replaces the document of one collection. */
  async write({ name, bytes, revision }) {
    const key = `${name}/doc`;
    const { hash } = await pull(store, key);
    return await push(store, key, createDocument(bytes, revision), hash === "" ? null : hash);
  },
  /** One document in each of the first `count` collections, of its own number where no revision is given. */
  async fill({ count, bytes, revision }) {
    for (let index = 0; index < count; index += 1) {
      await commands.write({ name: `c${index}`, bytes, revision: revision ?? index });
    }
  },
  mark() {
    traffic.mark();
    data.mark();
  },
  counters: () => traffic.counters(),
  /** The documents stored since the mark. */
  arrivals: () => data.arrivals(),
  subscribers: () => changes.feed.subscribers,
  cpuMs() {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
  /** After garbage collection, which node must have been told to expose. */
  memory() {
    for (let turn = 0; turn < 3; turn += 1) globalThis.gc();
    return process.memoryUsage();
  },
  /** Opens a port that was given. */
  open: () => listen(server, port),
};

const control = createServer(async (request, response) => {
  let body = "";
  for await (const piece of request) body += piece;
  const { command, ...args } = JSON.parse(body);
  response.end(JSON.stringify((await commands[command](args)) ?? {}));
});

async function listen(one, at) {
  await once(one.listen(at, "127.0.0.1"), "listening");
}

process.once("disconnect", () => process.exit());
await Promise.all([port === 0 && listen(server, 0), listen(control, 0)]);
process.send({ port: port || server.address().port, controlPort: control.address().port });
