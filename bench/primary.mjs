/**
 * The primary that both contenders talk to: a real starfish-server over `@hono/node-server`, in a process of its own. It takes two
 * arguments, the number of collections (`c0`, `c1`, ...) and `public` or `cap-cert`, tells its parent `{ port, controlPort }`, and ends
 * with its parent. What a scenario asks of it comes in through the control port, so that only replication is counted at the other one.
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
import { countTraffic } from "./support/count-traffic.mjs";
import { createDocument } from "./support/documents.mjs";

const [count = "1", auth = "public"] = process.argv.slice(2);
const signed = auth === "cap-cert";
const roles = signed
  ? { readRoles: ["cap:read:*"], writeRoles: ["cap:write:*"] }
  : { readRoles: ["public"], writeRoles: ["public"] };

const data = new Map();
const store = new MemoryObjectStore(data);
const collections = Array.from({ length: Number(count) }, (_, index) => serverCollection(`c${index}`, roles));
const router = createSyncRouter({
  store,
  config: { version: 1, collections },
  plugins: [],
  roleResolver: signed
    ? createCapCertRoleResolver({
        nonceCache: createInMemoryNonceCache({ perSignerLimit: 10_000_000, maxEntries: 10_000_000 }),
        revocationStore: createInMemoryRevocationStore(),
        allowAnonymous: false,
        maxBodyBytes: 64 * 1024 * 1024,
      })
    : async () => ({ identity: "", roles: ["public"] }),
});
const app = new Hono().route("/v1", router);
const server = createServer(getRequestListener(app.fetch));
const traffic = countTraffic(server);

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
  /** One document in each of the first `count` collections. */
  async fill({ count, bytes }) {
    for (let index = 0; index < count; index += 1) {
      await push(store, `c${index}/doc`, createDocument(bytes, index), null);
    }
  },
  mark: () => traffic.mark(),
  counters: () => traffic.counters(),
};

const control = createServer(async (request, response) => {
  let body = "";
  for await (const piece of request) body += piece;
  const { command, ...args } = JSON.parse(body);
  response.end(JSON.stringify((await commands[command](args)) ?? {}));
});

process.once("disconnect", () => process.exit());
await Promise.all([server, control].map((one) => once(one.listen(0, "127.0.0.1"), "listening")));
process.send({ port: server.address().port, controlPort: control.address().port });
