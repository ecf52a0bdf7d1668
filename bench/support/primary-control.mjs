import { Agent, request } from "node:http";

/**
 * Asks the primary to do something, past what it counts. Over node:http, so that a round loads no other HTTP client than its
 * contender's.
 */
export function createPrimaryControl({ port, controlPort }) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });

  const ask = (command, args = {}) =>
    new Promise((resolve, reject) => {
      const sent = request({ host: "127.0.0.1", port: controlPort, method: "POST", agent }, async (response) => {
        let text = "";
        for await (const piece of response) text += piece;
        resolve(JSON.parse(text));
      });
      sent.on("error", reject);
      sent.end(JSON.stringify({ command, ...args }));
    });

  return {
    url: `http://127.0.0.1:${port}/v1`,
    /** Removes all documents. */
    clear: () => ask("clear"),
    write: (name, bytes, revision) => ask("write", { name, bytes, revision }),
    fill: (count, bytes) => ask("fill", { count, bytes }),
    /** Counts from here. */
    mark: () => ask("mark"),
    /** `{ requests, bytes, peakSockets }` since the mark. */
    counters: () => ask("counters"),
  };
}
