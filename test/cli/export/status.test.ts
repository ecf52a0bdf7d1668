import { describe, expect, it } from "vitest";
import { waitFor } from "../../support/wait.js";
import { BUILT_CLI } from "../built-cli.js";
import { callCli } from "./call-cli.js";
import { finish, startFakeExports } from "./fake-exports.js";
import { resultOf, startCli } from "./run-cli.js";

const cli = BUILT_CLI;

describe("export status", () => {
  it("prints the jobs as a table, newest first, and as JSON", async () => {
    const fake = await startFakeExports();
    expect(await callCli(fake.env, ["status"])).toEqual({ code: 0, stdout: "", stderr: "There are no jobs.\n" });
    expect((await callCli(fake.env, ["status", "--json"])).stdout).toBe('{"jobs":[]}');
    fake.complete(Buffer.alloc(1_048_576), "first");
    const { job } = fake.complete(Buffer.alloc(0), "second-job");
    job.tables = ["a", "b\u001b[2J\nc"];
    const { code, stdout } = await callCli(fake.env, ["status"]);
    expect(code).toBe(0);
    expect(stdout.split("\n")).toEqual([
      "JOB         STATE      FORMAT   ROWS     SIZE  CREATED                   TABLES",
      "second-job  completed  sql     12345      0 B  2026-03-04T05:06:07.000Z  a, b [2J c",
      "first       completed  sql     12345  1.0 MiB  2026-03-04T05:06:07.000Z  all",
    ]);
    expect(JSON.parse((await callCli(fake.env, ["status", "--json"])).stdout)).toEqual({
      jobs: [...fake.jobs.values()].map((made) => made.job).reverse(),
    });
  });

  it("prints all about one job", async () => {
    const fake = await startFakeExports();
    const { job } = fake.complete(Buffer.from("x"), "one");
    job.callback = { url: "https://example.com/hook", state: "pending", attempts: 2 };
    const { code, stdout } = await callCli(fake.env, ["status", "one"]);
    expect(code).toBe(0);
    expect(stdout.split("\n")).toEqual([
      "job       one",
      "state     completed",
      "format    sql",
      "tables    all",
      "done      3 of 3 tables, 12,345 rows",
      "file      1 B (1 bytes)",
      `sha256    ${job.artifact?.sha256}`,
      "created   2026-03-04T05:06:07.000Z",
      "finished  2026-03-04T05:06:09.000Z",
      "callback  pending, sent 2 times: https://example.com/hook",
    ]);
    expect(JSON.parse((await callCli(fake.env, ["status", "one", "--json"])).stdout)).toEqual(job);
  });

  it.each(["completed", "failed"] as const)("watches a job until it has %s", async (state) => {
    const fake = await startFakeExports();
    const made = fake.complete(Buffer.from("x"), "one");
    const done = made.job;
    made.job = { ...done, state: "running", artifact: null };
    const child = startCli(cli, fake, ["status", "one", "--watch"]);
    await waitFor(() => fake.host.requests.length > 2);
    if (state === "completed") finish(made, Buffer.from("y"));
    else made.job = { ...made.job, state, error: { code: "TABLE_MISSING", message: "no table x" } };
    const run = await resultOf(child);
    expect(run.code).toBe(state === "completed" ? 0 : 1);
    expect(run.stdout).toContain(`state     ${state}`);
    if (state === "failed") expect(run.stderr).toBe("starfish-replica: job one failed: no table x\n");
  });

  it("says so where there is no such job", async () => {
    const run = await callCli((await startFakeExports()).env, ["status", "nobody"]);
    expect(run).toEqual({ code: 1, stdout: "", stderr: "starfish-replica: There is no job nobody\n" });
  });

  it.each([
    ["--watch", "--watch watches one job"],
    ["../../x", '"../../x" is no job\'s id'],
    [".. --json", '".." is no job\'s id'],
    ["a b", 'unexpected argument "b"'],
  ])("refuses `%s` with 2", async (line, message) => {
    const fake = await startFakeExports();
    const run = await callCli(fake.env, ["status", ...line.split(" ")]);
    expect(run).toMatchObject({ code: 2, stdout: "" });
    expect(run.stderr).toContain(message);
    expect(fake.host.requests).toEqual([]);
  });
});

describe("export cancel", () => {
  it("removes the job", async () => {
    const fake = await startFakeExports();
    fake.complete(Buffer.from("x"), "one");
    expect(await callCli(fake.env, ["cancel", "one"])).toEqual({
      code: 0,
      stdout: "Job one and its file are gone.",
      stderr: "",
    });
    expect(fake.jobs.size).toBe(0);
    fake.complete(Buffer.from("x"), "two");
    expect((await callCli(fake.env, ["cancel", "two", "--json"])).stdout).toBe('{"id":"two","cancelled":true}');
  });

  it("needs a job that is there", async () => {
    const fake = await startFakeExports();
    expect(await callCli(fake.env, ["cancel", "nobody"])).toMatchObject({ code: 1, stdout: "" });
    expect(await callCli(fake.env, ["cancel"])).toMatchObject({ code: 2, stdout: "" });
  });
});
