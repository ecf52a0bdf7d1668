import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { tempDir } from "../../support/temp-dir.js";
import { waitFor } from "../../support/wait.js";
import { callCli } from "./call-cli.js";
import { startFakeExports } from "./fake-exports.js";

const MIB = 1024 * 1024;
const NAME = "shop-2026-03-04.sql";

/** Waits until a download that is under way has written so much of its file. */
async function grown(dir: string, bytes: number): Promise<void> {
  const part = join(dir, `${NAME}.part`);
  await waitFor(() => existsSync(part) && statSync(part).size >= bytes, { timeoutMs: 10_000, what: `${bytes} bytes` });
}

describe("where export download puts a file", () => {
  it("replaces a file only with --force", async () => {
    const [fake, dir] = [await startFakeExports(), tempDir()];
    const { job, content } = fake.complete(randomBytes(1_000));
    writeFileSync(join(dir, NAME), "mine");
    const refused = await callCli(fake.env, ["download", job.id, "-o", dir]);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toBe(
      `starfish-replica: ${join(dir, NAME)} is there already. --force replaces it; -o FILE puts the download elsewhere.\n`,
    );
    expect(readFileSync(join(dir, NAME), "utf8")).toBe("mine");
    expect(await callCli(fake.env, ["download", job.id, "--force", "-o", dir])).toMatchObject({
      code: 0,
      stdout: join(dir, NAME),
    });
    expect(readFileSync(join(dir, NAME)).equals(content)).toBe(true);
  });

  it("does not replace a file that comes while it downloads", async () => {
    const [fake, dir] = [await startFakeExports(), tempDir()];
    const made = fake.complete(randomBytes(MIB));
    made.pauseMs = 20;
    const running = callCli(fake.env, ["download", made.job.id, "-o", dir]);
    await grown(dir, 100_000);
    writeFileSync(join(dir, NAME), "mine");
    const run = await running;
    expect(run.code).toBe(1);
    expect(run.stderr).toContain(`${NAME} is there already`);
    expect(readFileSync(join(dir, NAME), "utf8")).toBe("mine");
  });

  it("puts nothing in place that another process has begun there meanwhile", async () => {
    const [fake, dir] = [await startFakeExports(), tempDir()];
    const first = fake.complete(randomBytes(MIB));
    const second = fake.complete(randomBytes(2 * MIB));
    first.pauseMs = 80;
    second.pauseMs = 120;
    const overtaken = callCli(fake.env, ["download", first.job.id, "-o", dir, "--force"]);
    await grown(dir, 100_000);
    const overtaking = callCli(fake.env, ["download", second.job.id, "-o", dir, "--force"]);
    const run = await overtaken;
    expect(run).toMatchObject({ code: 1, stdout: "" });
    expect(run.stderr).toContain(`another process has taken ${join(dir, NAME)}.part away`);
    expect(existsSync(join(dir, NAME))).toBe(false);
    expect(await overtaking).toMatchObject({ code: 0 });
    expect(readFileSync(join(dir, NAME)).equals(second.content)).toBe(true);
    expect(readdirSync(dir)).toEqual([NAME]);
  });

  it("is not led elsewhere by what the server calls a format", async () => {
    const [fake, dir] = [await startFakeExports(), tempDir()];
    const made = fake.complete(Buffer.from("x"));
    made.disposition = null;
    made.job.format = "/../../elsewhere" as "sql";
    mkdirSync(join(dir, "in"));
    const run = await callCli(fake.env, ["download", made.job.id, "-o", join(dir, "in")]);
    expect(run).toMatchObject({ code: 1, stdout: "" });
    expect(run.stderr).toContain('"format" is not what it should be');
    expect([readdirSync(dir), readdirSync(join(dir, "in"))]).toEqual([["in"], []]);
  });

  it("leaves a .part alone that is not its own", async () => {
    const [fake, dir] = [await startFakeExports(), tempDir()];
    const { job } = fake.complete(randomBytes(1_000));
    writeFileSync(join(dir, `${NAME}.part`), "mine");
    const run = await callCli(fake.env, ["download", job.id, "-o", dir]);
    expect(run.code).toBe(1);
    expect(run.stderr).toContain(`${join(dir, NAME)}.part is there already and is no download of ours`);
    expect(readFileSync(join(dir, `${NAME}.part`), "utf8")).toBe("mine");
  });

  it.each([
    ['attachment; filename="../../evil.sh"', "evil.sh"],
    ['attachment; filename="/etc/passwd"', "passwd"],
    ["attachment; filename*=UTF-8''..%2F..%2Fevil.sh", "evil.sh"],
    ['attachment; filename="..\\\\..\\\\evil.sh"', "evil.sh"],
    ['attachment; filename=".bashrc"', "bashrc"],
    ["attachment; filename*=UTF-8''a%1B%5B2Jb%E2%80%AEtxt.sql", "a_[2Jb_txt.sql"],
    ['attachment; filename=".."', "export-hostile.sql"],
    ["attachment", "export-hostile.sql"],
  ])("makes the name of `%s` harmless", async (disposition, expected) => {
    const [fake, outer] = [await startFakeExports(), tempDir()];
    const dir = join(outer, "a", "b");
    mkdirSync(dir, { recursive: true });
    fake.complete(Buffer.from("x"), "hostile").disposition = disposition;
    const run = await callCli(fake.env, ["download", "hostile", "-o", dir]);
    expect(run).toMatchObject({ code: 0, stdout: join(dir, expected) });
    expect(readdirSync(dir)).toEqual([expected]);
    expect([...readdirSync(outer), ...readdirSync(join(outer, "a"))]).toEqual(["a", "b"]);
  });

  it("says what is wrong with where it is to write", async () => {
    const [fake, dir] = [await startFakeExports(), tempDir()];
    const { job } = fake.complete(Buffer.from("x"));
    writeFileSync(join(dir, "file"), "");
    symlinkSync("/dev/full", join(dir, "device"));
    const said = async (out: string) =>
      (await callCli(fake.env, ["download", job.id, "--force", "-o", join(dir, out)])).stderr.replaceAll(`${dir}/`, "");
    expect(await said("no/such/x.sql")).toBe("starfish-replica: there is no folder no/such\n");
    expect(await said("file/x.sql")).toBe("starfish-replica: there is no folder file\n");
    expect(await said("device")).toBe("starfish-replica: device is no file. -o - writes to standard output.\n");
  });
});
