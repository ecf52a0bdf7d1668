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
    fill: (count, bytes, revision) => ask("fill", { count, bytes, revision }),
    /** Counts from here. */
    mark: () => ask("mark"),
    /** `{ requests, pushes, bytes, peakSockets }` since the mark. */
    counters: () => ask("counters"),
    /** `[{ name, revision, edited, at }]`, the documents stored since the mark. */
    arrivals: () => ask("arrivals"),
    /** Readers of the change feed. */
    subscribers: () => ask("subscribers"),
    /** Processor time since its start. */
    cpuMs: () => ask("cpuMs"),
    /** `process.memoryUsage()` after garbage collection. */
    memory: () => ask("memory"),
    /** Opens the port of a primary that was started closed. */
    open: () => ask("open"),
  };
}
