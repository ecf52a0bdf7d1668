// A page server as a program: `node server-child <folder> <key>`. Announces its commits over SSE, and tells what fails on its side.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { createSseChanges } from "../../../src/feeds/sse-changes.js";
import { createPageServer } from "../../../src/pages/create-page-server.js";
import { forgetPeakMemory, peakMemory } from "./peak-memory.js";

const [dir = "", sessionKey = ""] = process.argv.slice(2);
const changes = createSseChanges({
  config: { version: 1, collections: [] },
  roleResolver: async () => ({ identity: "", roles: ["public"] }),
  pages: { readRoles: ["public"] },
});
const server = createPageServer({
  dir,
  sessionKey,
  feed: changes,
  onError: (error) => console.log(`error ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`),
});
await server.start();
const app = new Hono().route("/v1", changes.routes).route("/", server.app);
const http = createServer(getRequestListener(app.fetch));
http.on("upgrade", (request, socket, head) => server.upgrade(request, socket, head));
http.listen(0, "127.0.0.1", () => console.log(`ready ${(http.address() as AddressInfo).port}`));
createInterface({ input: process.stdin }).on("line", (line) => {
  if (line === "forget") forgetPeakMemory();
  console.log(`peak ${peakMemory()}`);
});
