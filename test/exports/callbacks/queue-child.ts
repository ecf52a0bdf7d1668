import { createServer } from "node:net";
import { createCallbackQueue } from "../../../src/exports/callbacks/callback-queue.js";
import { createCallbackSender } from "../../../src/exports/callbacks/callback-sender.js";
import { waitFor } from "../../support/wait.js";
import { createMemoryBook } from "./memory-book.js";

// A receiver that takes connections and says nothing; it does not keep the process alive itself.
let received = 0;
const server = createServer((socket) => {
  socket.unref().on("error", () => {});
  socket.once("data", () => {
    received += 1;
  });
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const address = server.address();
const port = typeof address === "object" && address !== null ? address.port : 0;
server.unref();

const secrets = [`whsec_${Buffer.alloc(32, 1).toString("base64")}`];
const since = Date.now();
const pending = { messageId: "m", url: `http://127.0.0.1:${port}/`, body: "{}", attempts: 0, since };

const cutShort = createMemoryBook();
const sender = createCallbackSender({ secrets, allowPrivate: true });
const queue = createCallbackQueue({ book: cutShort, sender, giveUpAfterMs: 60_000 });
cutShort.add({ ...pending, jobId: "cut short" });
queue.wake();
await waitFor(() => received === 1);
await queue.close();

const later = createMemoryBook();
later.add({ ...pending, jobId: "later" }, since + 3_600_000);
createCallbackQueue({ book: later, sender, giveUpAfterMs: 60_000 }).wake();
console.log("done");
