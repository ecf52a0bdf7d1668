import { Agent, get } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { startReplicaHost } from "../support/replica-host.mjs";
import { elapsedMs } from "../support/timing.mjs";

const READS = 500;
const COOL_DOWN_MS = 1000;

export const scenario = {
  title: "500 concurrent reads of an `on_pull` collection",
  how: "10 KB document that has just changed at the primary; over HTTP with 500 sockets and a cool-down of 1 s, and `manager.onPull` called 500 times in one turn without a cool-down",
  primary: { collections: 1 },
  rounds: 5,
  measures: [
    { key: "httpRequests", label: "requests to the primary, over HTTP", better: "less", target: { max: 1 } },
    { key: "managerRequests", label: "requests to the primary, `onPull` × 500", better: "less", target: { max: 1 } },
    { key: "fresh", label: "reads that got the change, over HTTP", unit: "%", better: "more" },
    { key: "httpMs", label: "until all are answered, over HTTP", unit: "ms", better: "less" },
  ],
  async run({ load, primary }) {
    const contender = await load();
    await primary.write("c0", 10_000, 1);
    const onPull = { syncTriggers: ["on_pull"] };

    const cooled = await startReplicaHost(contender, primary.url, { ...onPull, onPullMinIntervalMs: COOL_DOWN_MS });
    await cooled.manager.syncNow("c0");
    await pause(COOL_DOWN_MS + 50);
    await primary.write("c0", 10_000, 2);
    await primary.mark();
    const agent = new Agent({ keepAlive: true, maxSockets: READS });
    let fresh = 0;
    const readOne = async () => {
      if ((await read(agent, cooled.port)).data.revision === 2) fresh += 1;
    };
    const httpMs = await elapsedMs(() => Promise.all(Array.from({ length: READS }, readOne)));
    const { requests: httpRequests } = await primary.counters();
    await cooled.stop();

    const bare = await startReplicaHost(contender, primary.url, onPull);
    await primary.mark();
    await Promise.all(Array.from({ length: READS }, () => bare.manager.onPull("c0")));
    const { requests: managerRequests } = await primary.counters();
    await bare.stop();
    return { httpRequests, managerRequests, httpMs, fresh: (100 * fresh) / READS };
  },
};

function read(agent, port) {
  return new Promise((resolve, reject) => {
    const sent = get({ host: "127.0.0.1", port, path: "/v1/pull/c0/doc", agent }, async (response) => {
      let text = "";
      for await (const piece of response) text += piece;
      if (response.statusCode === 200) resolve(JSON.parse(text));
      else reject(new Error(`a read was answered ${response.statusCode}`));
    });
    sent.on("error", reject);
  });
}
