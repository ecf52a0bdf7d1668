import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { inCi, size } from "../../support/size.js";
import { startTcpProxy } from "../../support/tcp-proxy.js";
import { tempDir } from "../../support/temp-dir.js";
import { waitFor } from "../../support/wait.js";
import { BUILT_CLI } from "../built-cli.js";
import { callCli } from "./call-cli.js";
import { type FakeExports, finish, startFakeExports } from "./fake-exports.js";
import { jsonLines, resultOf, runCli, startCli } from "./run-cli.js";

const MIB = 1024 * 1024;
const NAME = "shop-2026-03-04.sql";

const cli = BUILT_CLI;

/** Waits until a download that is under way has written so much of its file. */
async function grown(dir: string, bytes: number): Promise<void> {
  const part = join(dir, `${NAME}.part`);
  await waitFor(() => existsSync(part) && statSync(part).size >= bytes, { timeoutMs: 10_000, what: `${bytes} bytes` });
}

/** What `Range` asked for, of every download so far. */
function ranges({ host }: FakeExports): (string | undefined)[] {
  const downloads = host.requests.filter(({ path }) => path.endsWith("/download"));
  return downloads.map(({ headers }) => headers.range as string | undefined);
}

describe("export download", () => {
  it("puts the file in place under the server's name and prints that alone", async () => {
    const [fake, dir] = [await startFakeExports(), tempDir()];
    const { job, content } = fake.complete(randomBytes(3 * MIB));
    const run = await runCli(cli, fake, ["download", job.id], dir);
    expect(run).toMatchObject({ code: 0, stdout: NAME });
    expect(run.stderr).toBe("Downloaded: 3.0 MiB, SHA-256 verified\n");
    expect(readFileSync(join(dir, NAME)).equals(content)).toBe(true);
    expect(readdirSync(dir)).toEqual([NAME]);
  });

  it.each([
    ["into a file", "out.sql", "out.sql"],
    ["into a folder", "sub", `sub/${NAME}`],
  ])("puts it %s where told to", async (_, out, expected) => {
    const [fake, dir] = [await startFakeExports(), tempDir()];
    mkdirSync(join(dir, "sub"));
    const { job, content } = fake.complete(Buffer.from("CREATE TABLE x;"));
    const run = await runCli(cli, fake, ["download", job.id, "-o", out], dir);
    expect(run).toMatchObject({ code: 0, stdout: expected });
    expect(readFileSync(join(dir, expected)).equals(content)).toBe(true);
  });

  it("takes a file without a byte in it", async () => {
    const [fake, dir] = [await startFakeExports(), tempDir()];
    const { job } = fake.complete(Buffer.alloc(0));
    expect(await callCli(fake.env, ["download", job.id, "-o", dir])).toMatchObject({
      code: 0,
      stdout: join(dir, NAME),
    });
    expect(statSync(join(dir, NAME)).size).toBe(0);
    expect(readdirSync(dir)).toEqual([NAME]);
  });

  it(
    "goes on after kill -9 at random points, to the same bytes",
    async () => {
      const fake = await startFakeExports();
      for (let round = 0; round < size({ test: 3, ci: 10, soak: 50 }); round++) {
        const dir = tempDir();
        const made = fake.complete(randomBytes(4 * MIB + round));
        made.pauseMs = 4;
        const kills = 3;
        let last = 0;
        for (let kill = 0; kill < kills; kill++) {
          const child = startCli(cli, fake, ["download", made.job.id], dir);
          last += 65_536 + Math.floor(Math.random() * MIB);
          await grown(dir, last);
          await child.kill("SIGKILL");
          expect(readdirSync(dir).sort()).toEqual([`${NAME}.part`, `${NAME}.part.json`]);
          last = statSync(join(dir, `${NAME}.part`)).size;
        }
        made.pauseMs = 0;
        const before = ranges(fake).length;
        expect(await runCli(cli, fake, ["download", made.job.id], dir)).toMatchObject({ code: 0, stdout: NAME });
        // The first request learns the name, the second one gets what is missing and nothing else.
        expect(ranges(fake).slice(before)).toEqual([undefined, `bytes=${last}-`]);
        expect(readFileSync(join(dir, NAME)).equals(made.content)).toBe(true);
        expect(readdirSync(dir)).toEqual([NAME]);
      }
    },
    size({ test: 40_000, ci: 90_000, soak: 400_000 }),
  );

  it("finishes what was killed right before and right after its end", async () => {
    const [fake, dir] = [await startFakeExports(), tempDir()];
    const { job, content, etag } = fake.complete(randomBytes(100_000));
    const note = JSON.stringify({ job: job.id, etag, ...job.artifact });
    writeFileSync(join(dir, `${NAME}.part`), content);
    writeFileSync(join(dir, `${NAME}.part.json`), note);
    expect(await runCli(cli, fake, ["download", job.id, "-o", NAME], dir)).toMatchObject({ code: 0, stdout: NAME });
    expect(readdirSync(dir)).toEqual([NAME]);
    writeFileSync(join(dir, `${NAME}.part`), content);
    writeFileSync(join(dir, `${NAME}.part.json`), note);
    const again = await runCli(cli, fake, ["download", job.id, "-o", NAME], dir);
    expect(again).toMatchObject({ code: 0, stdout: NAME, stderr: "There already: 97.7 KiB, SHA-256 verified\n" });
    expect(readdirSync(dir)).toEqual([NAME]);
    // Nothing was missing.
    expect(ranges(fake)).toEqual([]);
  });

  it("says at Ctrl-C how to go on, and goes on", async () => {
    const [fake, dir] = [await startFakeExports(), tempDir()];
    const made = fake.complete(randomBytes(8 * MIB));
    made.pauseMs = 10;
    const child = startCli(cli, fake, ["download", made.job.id, "-o", NAME], dir);
    await grown(dir, MIB);
    expect(await child.kill("SIGINT")).toEqual({ code: 1, signal: null });
    expect(child.lines).toEqual([]);
    expect(child.stderr).toMatch(
      new RegExp(`Stopped at .* To go on from there: starfish-replica export download ${made.job.id} -o ${NAME}\n$`),
    );
    const kept = statSync(join(dir, `${NAME}.part`)).size;
    made.pauseMs = 0;
    const run = await runCli(cli, fake, ["download", made.job.id, "-o", NAME, "--json"], dir);
    expect(jsonLines(run.stdout)).toEqual([
      { job: made.job.id, file: NAME, ...made.job.artifact, resumedAt: kept, unchanged: false },
    ]);
    expect(ranges(fake).at(-1)).toBe(`bytes=${kept}-`);
    expect(readFileSync(join(dir, NAME)).equals(made.content)).toBe(true);
  });

  it("goes on by itself where the connection is cut", async () => {
    const [fake, dir] = [await startFakeExports(), tempDir()];
    const proxy = await startTcpProxy(fake.host.port);
    const made = fake.complete(randomBytes(6 * MIB));
    made.pauseMs = 5;
    const child = startCli(
      cli,
      { env: { ...fake.env, STARFISH_REPLICA_SERVER: proxy.origin } },
      ["download", made.job.id, "--json"],
      dir,
    );
    await grown(dir, MIB);
    proxy.cut();
    await waitFor(() => ranges(fake).length === 2);
    await grown(dir, 3 * MIB);
    await proxy.refuse();
    await waitFor(() => /nothing answers/.test(child.stderr));
    await proxy.pass();
    const run = await resultOf(child);
    expect(run.code).toBe(0);
    expect(readFileSync(join(dir, NAME)).equals(made.content)).toBe(true);
    const asked = ranges(fake).map((range) => Number(/\d+/.exec(range ?? "0")?.[0]));
    expect(asked).toEqual([0, expect.any(Number), expect.any(Number)]);
    expect(asked[1]).toBeGreaterThanOrEqual(MIB);
    expect(asked[2]).toBeGreaterThanOrEqual(3 * MIB);
    const retries = jsonLines(run.stderr).filter(({ event }) => event === "retry");
    expect(retries[0]).toEqual({
      event: "retry",
      code: "SERVER_UNREACHABLE",
      error: `the connection to ${proxy.origin} broke off`,
      delayMs: expect.any(Number),
    });
  });

  it("waits as long as a busy server asks", async () => {
    const [fake, dir] = [await startFakeExports(), tempDir()];
    const { job } = fake.complete(randomBytes(1_000));
    fake.host.failWith(
      503,
      { "retry-after": "1" },
      {
        times: 1,
        when: { path: `/export/dump/${job.id}/download` },
        body: JSON.stringify({ error: "too many downloads", code: "EXPORT_BUSY" }),
      },
    );
    const run = await runCli(cli, fake, ["download", job.id, "--json"], dir);
    expect(run.code).toBe(0);
    expect(jsonLines(run.stderr)[0]).toMatchObject({ event: "retry", code: "EXPORT_BUSY", delayMs: 1_000 });
  });

  it("begins anew where the file has changed at the server", async () => {
    const [fake, dir] = [await startFakeExports(), tempDir()];
    const made = fake.complete(randomBytes(4 * MIB));
    made.pauseMs = 10;
    const proxy = await startTcpProxy(fake.host.port);
    const child = startCli(
      cli,
      { env: { ...fake.env, STARFISH_REPLICA_SERVER: proxy.origin } },
      ["download", made.job.id, "--json"],
      dir,
    );
    await grown(dir, MIB);
    const changed = randomBytes(3 * MIB);
    finish(made, changed);
    proxy.cut();
    const run = await resultOf(child);
    expect(jsonLines(run.stderr)).toContainEqual({ event: "restart", reason: "changed" });
    expect(run.code).toBe(0);
    expect(readFileSync(join(dir, NAME)).equals(changed)).toBe(true);
    expect(readdirSync(dir)).toEqual([NAME]);
  });

  it.each(["other content", "no ranges", "no ETag"].slice(0, inCi ? 3 : 1))(
    "begins anew after a kill with %s",
    async (why) => {
      const [fake, dir] = [await startFakeExports(), tempDir()];
      const made = fake.complete(randomBytes(2 * MIB));
      if (why === "no ETag") made.etag = null;
      made.pauseMs = 10;
      const child = startCli(cli, fake, ["download", made.job.id], dir);
      await grown(dir, 300_000);
      await child.kill();
      made.pauseMs = 0;
      if (why === "other content") finish(made, randomBytes(MIB));
      if (why === "no ranges") made.ignoresRange = true;
      expect(await runCli(cli, fake, ["download", made.job.id], dir)).toMatchObject({ code: 0 });
      expect(readFileSync(join(dir, NAME)).equals(made.content)).toBe(true);
    },
  );

  it.each(["damaged", "too long", "empty"])("ends right where what was left is %s", async (how) => {
    const [fake, dir] = [await startFakeExports(), tempDir()];
    const made = fake.complete(randomBytes(2 * MIB));
    const { job, content, etag } = made;
    const part = join(dir, `${NAME}.part`);
    writeFileSync(part, how === "too long" ? Buffer.concat([content, Buffer.from("x")]) : content.subarray(0, MIB));
    writeFileSync(`${part}.json`, JSON.stringify({ job: job.id, etag, ...job.artifact }));
    if (how === "damaged") writeFileSync(part, Buffer.alloc(MIB));
    if (how === "empty") truncateSync(part, 0);
    const run = await callCli(fake.env, ["download", job.id, "-o", join(dir, NAME)]);
    expect(run.code).toBe(0);
    if (how === "damaged") expect(run.stderr).toContain("is damaged: beginning anew");
    expect(readFileSync(join(dir, NAME)).equals(content)).toBe(true);
    expect(readdirSync(dir)).toEqual([NAME]);
  });

  it("is not taken in by the text of an error in the middle of the file", async () => {
    const [fake, dir] = [await startFakeExports(), tempDir()];
    const made = fake.complete(randomBytes(2 * MIB));
    made.failsAfter = MIB;
    // What the server's library says to the operator.
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    const run = await callCli(fake.env, ["download", made.job.id, "-o", dir]);
    log.mockRestore();
    expect(run).toMatchObject({ code: 0, stdout: join(dir, NAME) });
    expect(readFileSync(join(dir, NAME)).equals(made.content)).toBe(true);
  });

  it("puts nothing in place that has the wrong hash", async () => {
    const [fake, dir] = [await startFakeExports(), tempDir()];
    const made = fake.complete(randomBytes(MIB));
    made.content = randomBytes(MIB);
    const run = await callCli(fake.env, ["download", made.job.id, "-o", dir]);
    expect(run).toMatchObject({ code: 1, stdout: "" });
    expect(run.stderr).toMatch(
      /what arrived is not what the job made: SHA-256 \w{64}, not \w{64}\. Nothing was put in/,
    );
    expect(readdirSync(dir)).toEqual([]);
  });

  it.each(["longer", "shorter"])("refuses a file that is %s than the job says", async (how) => {
    const [fake, dir] = [await startFakeExports(), tempDir()];
    const made = fake.complete(randomBytes(1_000));
    made.content = randomBytes(how === "longer" ? 1_001 : 999);
    const run = await callCli(fake.env, ["download", made.job.id, "-o", dir]);
    expect(run).toMatchObject({ code: 1, stdout: "" });
    expect(run.stderr).toContain("but the job's file has 1000");
    expect(existsSync(join(dir, NAME))).toBe(false);
  });

  it("refuses a file that was packed on the way", async () => {
    const [fake, dir] = [await startFakeExports(), tempDir()];
    const made = fake.complete(randomBytes(1_000));
    made.headers = { "content-encoding": "gzip" };
    const run = await callCli(fake.env, ["download", made.job.id, "-o", dir]);
    expect(run.code).toBe(1);
    expect(run.stderr).toContain("something on the way has packed the file (gzip)");
  });

  it("writes to standard output, over a cut connection, and nothing else", async () => {
    const [fake, dir] = [await startFakeExports(), tempDir()];
    const proxy = await startTcpProxy(fake.host.port);
    const made = fake.complete(Buffer.from(Array.from({ length: 300_000 }, (_, i) => `row ${i}\n`).join("")));
    made.pauseMs = 5;
    const child = startCli(
      cli,
      { env: { ...fake.env, STARFISH_REPLICA_SERVER: proxy.origin } },
      ["download", made.job.id, "-o", "-"],
      dir,
    );
    await child.waitForLine(/^row 40000$/);
    proxy.cut();
    expect(await child.exited).toEqual({ code: 0, signal: null });
    expect(`${child.lines.join("\n")}\n`).toBe(made.content.toString());
    expect(child.stderr).toContain("Written to standard output");
    expect(ranges(fake)).toEqual([undefined, expect.stringMatching(/^bytes=\d+-$/)]);
    expect(readdirSync(dir)).toEqual([]);
  });

  it("fails after standard output has got what has the wrong hash", async () => {
    const fake = await startFakeExports();
    const made = fake.complete(Buffer.from("right\n"));
    made.content = Buffer.from("wrong\n");
    const run = await runCli(cli, fake, ["download", made.job.id, "-o", "-"]);
    expect(run).toMatchObject({ code: 1, stdout: "wrong" });
    expect(run.stderr).toContain("What was written must not be used");
  });

  it.each([
    ["running", "is still running. Wait for it with: starfish-replica export status"],
    ["failed", "failed: the disk \\[31m is full"],
  ])("says why there is nothing to download of a %s job", async (state, text) => {
    const [fake, dir] = [await startFakeExports(), tempDir()];
    const { job } = fake.complete(Buffer.alloc(0));
    const made = fake.jobs.get(job.id);
    const error = { code: "DISK_LIMIT", message: "the disk \u001b[31m\nis full" } as const;
    if (made)
      made.job = { ...made.job, state: state as "failed", artifact: null, error: state === "failed" ? error : null };
    const run = await callCli(fake.env, ["download", job.id, "-o", dir]);
    expect(run).toMatchObject({ code: 1, stdout: "" });
    expect(run.stderr).toMatch(new RegExp(text));
    expect(run.stderr).not.toContain("\u001b");
  });
});
