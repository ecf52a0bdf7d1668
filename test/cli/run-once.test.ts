import { describe, expect, it } from "vitest";
import { type Cluster, startCluster } from "../../src/cli/demo/cluster.js";
import { runOnce } from "../../src/cli/demo/run-once.js";
import { fakeStream } from "./fake-terminal.js";

describe("one verified round", () => {
  it("fails, and names what differed, when a replica takes a write that its mode refuses", async () => {
    const cluster = await startCluster(0);
    const { atReplica } = cluster;
    const lax: Cluster = {
      ...cluster,
      atReplica: {
        ...atReplica,
        push: async (collection, data, base) =>
          collection === "prices" ? { status: 200, hash: base } : await atReplica.push(collection, data, base),
      },
    };
    const stdout = fakeStream();
    const stderr = fakeStream();
    expect(await runOnce(lax, { stdout: stdout.stream, stderr: stderr.stream })).toBe(false);
    expect(stderr.text()).toBe(
      "differs: prices, pull_only: a client's write is refused with 405: expected 405, found 200\n",
    );
    expect(stdout.text()).toContain("  ✗ a client's write is refused with 405\n");
    expect(stdout.text()).toMatch(/\n1 of \d+ facts differ\.\n$/);
  });

  it("goes on with the other modes when one of them fails half way", async () => {
    const cluster = await startCluster(0);
    const { atReplica } = cluster;
    const broken: Cluster = {
      ...cluster,
      atReplica: {
        ...atReplica,
        pull: async (collection) => {
          if (collection === "stock") throw new Error("no answer");
          return await atReplica.pull(collection);
        },
      },
    };
    const stdout = fakeStream();
    const stderr = fakeStream();
    expect(await runOnce(broken, { stdout: stdout.stream, stderr: stderr.stream })).toBe(false);
    expect(stderr.text()).toBe("differs: stock, push_through: the round goes through: no answer\n");
    expect(stdout.text()).toContain("sales, push_only\n  ✓ ");
  });

  it("starts the primary again when the facts about its absence fail half way", async () => {
    const cluster = await startCluster(0);
    const { atReplica, primary } = cluster;
    const broken: Cluster = {
      ...cluster,
      atReplica: {
        ...atReplica,
        pull: async (collection) => {
          if (!primary.running) throw new Error("no answer");
          return await atReplica.pull(collection);
        },
      },
    };
    const stdout = fakeStream();
    const stderr = fakeStream();
    expect(await runOnce(broken, { stdout: stdout.stream, stderr: stderr.stream })).toBe(false);
    expect(stderr.text()).toBe("differs: the primary stopped and started: the round goes through: no answer\n");
    expect(stdout.text()).toContain("  ✓ one without a signature is refused with 401\n");
  });
});
