import { elapsedMs } from "../support/timing.mjs";

export const scenario = {
  title: "Passphrase bootstrap",
  how: "the first `createReplicaAuth({ passphrase })` of a process, and the longest time that a timer of 1 ms was kept waiting meanwhile",
  rounds: 7,
  measures: [
    { key: "bootstrapMs", label: "until the identity is there", unit: "ms", better: "less" },
    { key: "blockedMs", label: "longest block of the event loop", unit: "ms", better: "less" },
  ],
  async run({ load }) {
    const { createReplicaAuth } = await load();
    let last = performance.now();
    let blockedMs = 0;
    const look = () => {
      const now = performance.now();
      blockedMs = Math.max(blockedMs, now - last - 1);
      last = now;
    };
    const timer = setInterval(look, 1);
    await new Promise((resolve) => setTimeout(resolve, 30));
    blockedMs = 0;
    const bootstrapMs = await elapsedMs(() => createReplicaAuth({ passphrase: "correct horse battery staple" }));
    look();
    clearInterval(timer);
    return { bootstrapMs, blockedMs };
  },
};
