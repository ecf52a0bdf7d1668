import { fork } from "node:child_process";
import { once } from "node:events";
import { startReplicaHost } from "../support/replica-host.mjs";
import { quantile } from "../support/statistics.mjs";

const DOCUMENT_BYTES = 10_000;

export const scenario = {
  title: "Push-through of a 10 KB document",
  how: "a client in a third process pushes through a replica server, one push every 10 ms after the last answer; in step: the local copy is the pushed one when the answer has gone out",
  primary: { collections: 1 },
  rounds: 5,
  measures: [
    { key: "p50", label: "p50", unit: "ms", better: "less", target: { ratio: 1 } },
    { key: "p99", label: "p99", unit: "ms", better: "less" },
    { key: "inStep", label: "local copy in step at the answer", unit: "%", better: "more", target: { min: 100 } },
  ],
  async run({ load, primary, quick }) {
    await primary.write("c0", DOCUMENT_BYTES, 0);
    const host = await startReplicaHost(await load(), primary.url, { writeMode: "push_through" });
    await host.manager.syncNow("c0");

    const pushes = quick ? 60 : 200;
    let revision = 0;
    let inStep = 0;
    host.server.on("request", (request, response) => {
      if (request.method !== "POST") return;
      response.once("finish", () => {
        revision += 1;
        if (host.localData().revision === revision) inStep += 1;
      });
    });
    const job = JSON.stringify({ port: host.port, pushes, bytes: DOCUMENT_BYTES, pauseMs: 10 });
    const client = fork(new URL("../support/push-client.mjs", import.meta.url), [job], { execArgv: [] });
    const [{ times, failure }] = await once(client, "message");
    if (failure) throw new Error(failure);
    await host.stop();
    // The first fifth warms up.
    const warm = times.slice(pushes / 5);
    return { p50: quantile(warm, 0.5), p99: quantile(warm, 0.99), inStep: (100 * inStep) / pushes };
  },
};
