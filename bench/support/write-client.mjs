/** Does one job of `writeDocuments` and sends its parent `{ result }` or `{ failure }`. */
import { Agent, request } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { createDocument } from "./documents.mjs";
import { epochMs } from "./epoch-ms.mjs";

const { port, collections, writes: count, everyMs, connections, bytes } = JSON.parse(process.argv[2]);
const agent = new Agent({ keepAlive: true, maxSockets: connections });
const documents = Array.from({ length: collections }, (_, index) => ({ name: `c${index}`, hash: null, revision: 0 }));
let conflicts = 0;

function send(method, path, body) {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { "content-type": "application/json" };
    const sent = request({ host: "127.0.0.1", port, method, path, headers, agent }, async (response) => {
      let text = "";
      for await (const piece of response) text += piece;
      if (response.statusCode === 200 || response.statusCode === 409) {
        resolve({ status: response.statusCode, hash: JSON.parse(text).hash, at: epochMs() });
      } else reject(new Error(`${method} ${path} was answered ${response.statusCode} ${text}`));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

async function look(document) {
  document.hash = (await send("GET", `/v1/pull/${document.name}/doc`)).hash || null;
}

async function write(document) {
  const revision = document.revision + 1;
  const data = createDocument(bytes, revision);
  for (;;) {
    const body = JSON.stringify({ data, baseHash: document.hash });
    const answer = await send("POST", `/v1/push/${document.name}/doc`, body);
    if (answer.status === 200) {
      Object.assign(document, { hash: answer.hash, revision });
      return { name: document.name, revision, at: answer.at };
    }
    conflicts += 1;
    await look(document);
  }
}

async function run() {
  await Promise.all(documents.map(look));
  const done = [];
  const startedAt = epochMs();
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const index = next;
      next += 1;
      const early = startedAt + index * everyMs - epochMs();
      if (early > 0) await pause(early);
      const document = documents[index % collections];
      document.turn = Promise.resolve(document.turn).then(() => write(document));
      done.push(await document.turn);
    }
  };
  await Promise.all(Array.from({ length: connections }, worker));
  return { writes: done, startedAt, conflicts };
}

process.once("disconnect", () => process.exit());
const message = await run().then(
  (result) => ({ result }),
  (error) => ({ failure: error.stack ?? String(error) }),
);
process.send(message, () => process.exit());
