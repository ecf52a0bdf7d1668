/** Pushes one revision after the other through a replica server and sends its parent `{ times }` in milliseconds, or `{ failure }`. */
import { Agent, request } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { createDocument } from "./documents.mjs";

const { port, pushes, bytes, pauseMs } = JSON.parse(process.argv[2]);
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

function send(method, path, body) {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { "content-type": "application/json" };
    const sent = request({ host: "127.0.0.1", port, method, path, headers, agent }, async (response) => {
      let text = "";
      for await (const piece of response) text += piece;
      if (response.statusCode === 200) resolve(JSON.parse(text));
      else reject(new Error(`${method} ${path} was answered ${response.statusCode} ${text}`));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

async function run() {
  const times = [];
  let { hash } = await send("GET", "/v1/pull/c0/doc");
  for (let revision = 1; revision <= pushes; revision += 1) {
    const body = JSON.stringify({ data: createDocument(bytes, revision), baseHash: hash });
    const start = performance.now();
    ({ hash } = await send("POST", "/v1/push/c0/doc", body));
    times.push(performance.now() - start);
    await pause(pauseMs);
  }
  return { times };
}

process.once("disconnect", () => process.exit());
const message = await run().catch((error) => ({ failure: error.stack ?? String(error) }));
process.send(message, () => process.exit());
