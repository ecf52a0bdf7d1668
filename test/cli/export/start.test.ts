import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inCi } from "../../support/size.js";
import { startTcpProxy } from "../../support/tcp-proxy.js";
import { tempDir } from "../../support/temp-dir.js";
import { waitFor } from "../../support/wait.js";
import { BUILT_CLI } from "../built-cli.js";
import { callCli } from "./call-cli.js";
import { type FakeExports, finish, startFakeExports } from "./fake-exports.js";
import { jsonLines, resultOf, runCli, startCli } from "./run-cli.js";

const CONTENT = Buffer.from("CREATE TABLE t (x);\n");

const cli = BUILT_CLI;

/** A server whose jobs are completed by the time they are asked about. */
async function quickExports(): Promise<FakeExports> {
  const fake = await startFakeExports();
  fake.onStart = (made) => queueMicrotask(() => finish(made, CONTENT));
  return fake;
}

/** How often a job was asked about. */
function looks({ host }: FakeExports): number {
  return host.requests.filter(({ method, path }) => method === "GET" && path.startsWith("/export/dump/")).length;
}

describe("export start", () => {
  it("waits for the job and prints its id alone", async () => {
    const fake = await quickExports();
    const run = await runCli(cli, fake, ["start"]);
    const [id] = [...fake.jobs.keys()];
    expect(run).toEqual({
      code: 0,
      stdout: id,
      stderr: `Completed: 3 tables, 12,345 rows, 20 B\nFetch it with: starfish-replica export download ${id}\n`,
    });
    expect(fake.asked).toEqual([{}]);
  });

  it("asks for what it was told to", async () => {
    const fake = await quickExports();
    const flags = [
      "--format",
      "ndjson",
      "--table",
      "users",
      "--table=order lines",
      "--callback",
      "https://example.com/x?k=1",
    ];
    expect(await runCli(cli, fake, ["start", ...flags])).toMatchObject({ code: 0 });
    expect(fake.asked).toEqual([
      { format: "ndjson", tables: ["users", "order lines"], callbackUrl: "https://example.com/x?k=1" },
    ]);
  });

  it("returns at once with --no-wait", async () => {
    const fake = await startFakeExports();
    const run = await runCli(cli, fake, ["start", "--no-wait"]);
    expect(run).toEqual({ code: 0, stdout: [...fake.jobs.keys()][0], stderr: "" });
    expect(looks(fake)).toBe(0);
    const { stdout } = await runCli(cli, fake, ["start", "--no-wait", "--json"]);
    expect(JSON.parse(stdout)).toEqual([...fake.jobs.values()].at(-1)?.job);
  });

  it.runIf(inCi)("prints the id before it waits, and how the job gets on where there is no terminal", async () => {
    const fake = await startFakeExports();
    const child = startCli(cli, fake, ["start"]);
    const [id = ""] = await child.waitForLine(/^job-\w+$/);
    const made = fake.jobs.get(id);
    if (!made) throw new Error("no job");
    await waitFor(() => /^Exporting: taking a snapshot, 0 rows, 0:01$/m.test(child.stderr));
    made.job.progress = { tablesDone: 1, tablesTotal: 3, rowsDone: 4_000, bytesWritten: 2_097_152 };
    await waitFor(() => /^Exporting: 2\.0 MiB, 1 of 3 tables, 4,000 rows, 0:0\d, .*\/s$/m.test(child.stderr), {
      timeoutMs: 12_000,
    });
    finish(made, CONTENT);
    expect((await resultOf(child)).code).toBe(0);
    expect(child.lines).toEqual([id]);
    expect(child.stderr).not.toContain("\u001b");
  });

  it("fails with the job's error where the job fails", async () => {
    const fake = await startFakeExports();
    fake.onStart = ({ job }) => {
      job.state = "failed";
      job.error = { code: "DISK_LIMIT", message: "there is no room for the snapshot" };
    };
    const run = await runCli(cli, fake, ["start"]);
    const [id] = [...fake.jobs.keys()];
    expect(run).toEqual({
      code: 1,
      stdout: id,
      stderr: `starfish-replica: job ${id} failed: there is no room for the snapshot\n`,
    });
    const json = await runCli(cli, fake, ["start", "--json"]);
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({ state: "failed", error: { code: "DISK_LIMIT" } });
    expect(jsonLines(json.stderr).at(-1)).toMatchObject({ event: "error", code: "DISK_LIMIT" });
  });

  it.each((["SIGINT", "SIGTERM"] as const).slice(0, inCi ? 2 : 1))(
    "leaves the job running at %s, and says how to look and how to cancel",
    async (signal) => {
      const fake = await startFakeExports();
      const child = startCli(cli, fake, ["start"]);
      const [id = ""] = await child.waitForLine(/^job-\w+$/);
      await waitFor(() => looks(fake) > 0);
      expect(await child.kill(signal)).toEqual({ code: 1, signal: null });
      expect(child.stderr).toContain(`export status ${id} --watch`);
      expect(child.stderr).toContain(`export cancel ${id}`);
      expect(fake.jobs.get(id)?.job.state).toBe("running");
      expect(fake.host.requests.some(({ method }) => method === "DELETE")).toBe(false);
    },
  );

  it("tells programs everything in JSON, a line each", async () => {
    const fake = await startFakeExports();
    const child = startCli(cli, fake, ["start", "--json"]);
    await waitFor(() => looks(fake) > 1);
    const [made] = [...fake.jobs.values()];
    if (!made) throw new Error("no job");
    finish(made, CONTENT);
    const { code, stdout, stderr } = await resultOf(child);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(made.job);
    const events = jsonLines(stderr);
    expect(events.map(({ event }) => event)).toEqual(["started", "progress", "completed"]);
    for (const { job } of events) expect(job).toMatchObject({ id: made.job.id });
  });

  it("goes on watching where the server is away for a while", async () => {
    const fake = await startFakeExports();
    const proxy = await startTcpProxy(fake.host.port);
    const child = startCli(cli, { env: { ...fake.env, STARFISH_REPLICA_SERVER: proxy.origin } }, ["start"]);
    const [id = ""] = await child.waitForLine(/^job-\w+$/);
    await waitFor(() => looks(fake) > 0);
    await proxy.refuse();
    await waitFor(() => /nothing answers at .*; the job goes on once it is back/.test(child.stderr));
    const made = fake.jobs.get(id);
    if (made) finish(made, CONTENT);
    await proxy.pass();
    expect((await resultOf(child)).code).toBe(0);
    expect(child.stderr).toContain("the server answers again\nCompleted:");
  });

  it("says so where somebody cancels the job meanwhile", async () => {
    const fake = await startFakeExports();
    const child = startCli(cli, fake, ["start"]);
    await child.waitForLine(/^job-/);
    fake.jobs.clear();
    expect((await resultOf(child)).code).toBe(1);
    expect(child.stderr).toMatch(/^starfish-replica: There is no job job-\w+\n$/m);
  });

  it.each([
    ["under the server's name", [], "shop-2026-03-04.sql"],
    ["into a file", ["out.sql"], "out.sql"],
  ])("downloads %s with --download", async (_, value, name) => {
    const [fake, dir] = [await quickExports(), tempDir()];
    const run = await runCli(cli, fake, ["start", "--download", ...value, "--format", "sql"], dir);
    expect(run).toMatchObject({ code: 0, stdout: [...fake.jobs.keys()][0] });
    expect(readFileSync(join(dir, name)).equals(CONTENT)).toBe(true);
    const json = await runCli(cli, fake, ["start", "--json", "--force", `--download=${name}`], dir);
    expect(JSON.parse(json.stdout)).toEqual({ ...[...fake.jobs.values()].at(-1)?.job, file: name });
  });

  it("tells programs the job where its download fails", async () => {
    const [fake, dir] = [await quickExports(), tempDir()];
    writeFileSync(join(dir, "mine"), "");
    const run = await callCli(fake.env, ["start", "--json", "--download", join(dir, "mine")]);
    expect(run.code).toBe(1);
    expect(JSON.parse(run.stdout)).toMatchObject({ state: "completed", file: null });
    expect(jsonLines(run.stderr).at(-1)).toMatchObject({ event: "error", code: "TARGET_EXISTS" });
  });

  it("downloads to standard output, where the id then has no place", async () => {
    const fake = await quickExports();
    const run = await runCli(cli, fake, ["start", "--download", "-"]);
    expect(run).toMatchObject({ code: 0, stdout: CONTENT.toString().trimEnd() });
    expect(run.stderr).toContain(`Job ${[...fake.jobs.keys()][0]}\n`);
  });

  it.each([
    ["--format xml", '--format "xml" is unknown: did you mean "sql"?'],
    ["--format jsno", '--format "jsno" is unknown: did you mean "json"?'],
    ["--format csv", "--format csv has a form for one table alone: name it with --table"],
    ["--no-wait --download", "--download waits for the job"],
    ["--force", "--force says what --download may do"],
    ["--table=", "--table needs the name of a table"],
    ["orders", 'unexpected argument "orders"'],
    ["--talbe x", 'unknown flag "--talbe": did you mean "--table"?'],
  ])("refuses `%s` with 2 before anything is asked", async (line, message) => {
    const fake = await startFakeExports();
    const run = await callCli(fake.env, ["start", ...line.split(" ")]);
    expect(run).toMatchObject({ code: 2, stdout: "" });
    expect(run.stderr).toContain(`starfish-replica: ${message}`);
    expect(run.stderr).toContain("\nUsage: starfish-replica export start");
    expect(fake.host.requests).toEqual([]);
  });

  it("downloads what it made, random bytes too", async () => {
    const [fake, dir] = [await startFakeExports(), tempDir()];
    const content = randomBytes(300_000);
    fake.onStart = (made) => finish(made, content);
    expect(await runCli(cli, fake, ["start", "--download", "x"], dir)).toMatchObject({ code: 0 });
    expect(readFileSync(join(dir, "x")).equals(content)).toBe(true);
  });
});
