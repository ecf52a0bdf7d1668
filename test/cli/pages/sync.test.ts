import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { type PageHost, startPageHost } from "../../pages/server-facade/page-host.js";
import { inCi } from "../../support/size.js";
import { tempDir } from "../../support/temp-dir.js";
import { BUILT_CLI } from "../built-cli.js";
import { jsonLines } from "../export/run-cli.js";
import { hasScript, spawnInTerminal } from "../terminal-child.js";
import { createPageUser, type PageUser } from "./page-cli.js";

interface Scene {
  readonly user: PageUser;
  readonly push: string;
  readonly pull: string;
  readonly dir: string;
}

async function scene(host: PageHost): Promise<Scene> {
  const [ada, user] = [await host.user("ada@example.com"), createPageUser(host.origin)];
  const { id } = await ada.admin.createDatabase({ name: "shop" });
  return { user, push: await ada.token(id, "push"), pull: await ada.token(id, "pull"), dir: tempDir() };
}

function shop(file: string, rows = 2): void {
  const database = new Database(file);
  database.exec(`CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, what BLOB);
    INSERT INTO orders (what) SELECT randomblob(3000) FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows}) SELECT i FROM n)`);
  database.close();
}

describe("sync", () => {
  it("pushes and pulls, says how much that was, and that nothing was to be done", async () => {
    const { user, push, pull, dir } = await scene(await startPageHost());
    const [file, copy] = [join(dir, "shop.db"), join(dir, "copy.db")];
    shop(file);
    const pushed = await user.call("sync", "push", "--db", file, "--token", push);
    expect(pushed).toMatchObject({ code: 0, stderr: "" });
    expect(pushed.stdout).toMatch(
      /^Pushed .*shop\.db: (\d) of \1 pages, \d+\.\d KiB, generation 1 \(.* sent, .* received\)$/,
    );
    const pulled = await user.call("sync", "pull", "--db", copy, "--token", pull, "--check");
    expect(pulled).toMatchObject({ code: 0, stderr: "" });
    expect(pulled.stdout).toMatch(/^Pulled .*copy\.db: /);
    expect(readFileSync(copy).equals(readFileSync(file))).toBe(true);
    const again = await user.call("sync", "push", "--db", file, "--token", push);
    expect(again.stdout).toMatch(/^Nothing to push: the server has this already, generation 1 \(/);
    const asJson = await user.call("sync", "pull", "--db", copy, "--token", pull, "--json");
    expect(jsonLines(asJson.stdout)).toEqual([
      expect.objectContaining({ direction: "pull", file: copy, changed: false, generation: 1, pagesTransferred: 0 }),
    ]);
  });

  it("names both generations where another push came first, keeps what was changed here, and is told to go on with --force", async () => {
    const { user, push, pull, dir } = await scene(await startPageHost());
    const [file, copy] = [join(dir, "shop.db"), join(dir, "copy.db")];
    shop(file);
    await user.call("sync", "push", "--db", file, "--token", push);
    await user.call("sync", "pull", "--db", copy, "--token", pull);
    shop(copy);
    await user.call("sync", "push", "--db", copy, "--token", push);
    shop(file);
    const late = await user.call("sync", "push", "--db", file, "--token", push);
    expect(late).toMatchObject({ code: 1, stdout: "" });
    expect(late.stderr).toMatch(/generation 1.*generation 2.*--force/);
    const lost = await user.call("sync", "pull", "--db", file, "--token", pull, "--json");
    expect(lost.code).toBe(1);
    expect(jsonLines(lost.stderr).at(-1)).toMatchObject({ event: "error", code: "LOCAL_CHANGES" });
    expect(await user.call("sync", "push", "--db", file, "--token", push, "--force")).toMatchObject({ code: 0 });
    expect(await user.call("sync", "pull", "--db", copy, "--token", pull)).toMatchObject({ code: 0 });
    expect(count(copy)).toEqual(count(file));
  });

  it.each([
    ["a file that is no database", "notes.txt", /is no SQLite database|not a/i],
    ["a file that is not there", "missing.db", /missing\.db/],
  ])("says what is wrong with %s", async (_, name, message) => {
    const { user, push, dir } = await scene(await startPageHost());
    if (name === "notes.txt")
      await import("node:fs").then((fs) => fs.writeFileSync(join(dir, name), "hello\n".repeat(99)));
    const { code, stdout, stderr } = await user.call("sync", "push", "--db", join(dir, name), "--token", push);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(message);
  });

  it("takes the token from the environment, and never shows it", async () => {
    const { user, pull, push, dir } = await scene(await startPageHost());
    const file = join(dir, "shop.db");
    shop(file);
    const env = { STARFISH_REPLICA_SYNC_TOKEN: pull };
    const { code, stderr } = await createPageUser(user.env.STARFISH_REPLICA_SERVER ?? "", env).call(
      "sync",
      "push",
      "--db",
      file,
    );
    expect(code).toBe(1);
    expect(stderr).not.toContain(pull);
    const right = createPageUser(user.env.STARFISH_REPLICA_SERVER ?? "", { STARFISH_REPLICA_SYNC_TOKEN: push });
    expect(await right.call("sync", "push", "--db", file)).toMatchObject({ code: 0 });
  });

  it.skipIf(!hasScript || !inCi)("draws how it gets on; Ctrl-C leaves nothing half done (needs script)", async () => {
    const { user, push, pull, dir } = await scene(await startPageHost());
    const file = join(dir, "shop.db");
    shop(file, 20_000);
    const run = (line: string) =>
      spawnInTerminal(`trap : INT; "${process.execPath}" "${BUILT_CLI}" sync ${line}; echo "ended with $?"`, {
        ...user.env,
        LANG: "C.UTF-8",
      });
    const stopped = run(`push --db ${file} --token ${push}`);
    await stopped.waitFor(/(Reading|Comparing|Pushing) shop\.db {2}/);
    stopped.type("\x03");
    await stopped.waitFor(/Stopped\. The server has all of the push or nothing of it\./);
    await stopped.waitFor(/ended with 1/);
    expect((await user.call("sync", "pull", "--db", join(dir, "copy.db"), "--token", pull)).stdout).toMatch(
      /^Nothing to pull|^Pulled/,
    );
    const whole = run(`push --db ${file} --token ${push}`);
    await whole.waitFor(/Pushing shop\.db {2}.*\d+%.* of \d+\.\d MiB/);
    await whole.waitFor(/Pushed .*shop\.db: /);
    await whole.waitFor(/ended with 0/);
  });

  it.each([
    [[], "sync what? push, pull"],
    [["pul"], 'unknown command "pul": did you mean "pull"?'],
    [["push"], "which file? --db FILE"],
    [["push", "--db", "x.db"], "which token? --token TOKEN or STARFISH_REPLICA_SYNC_TOKEN"],
    [["push", "--db", "x.db", "--token", "a b"], "--token holds characters that no token has"],
    [["push", "--db", "x.db", "--check"], 'unknown flag "--check"'],
  ])("refuses %j with 2", async (args, message) => {
    const { code, stdout, stderr } = await createPageUser("http://127.0.0.1:1").call("sync", ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr.startsWith(`starfish-replica: ${message}`)).toBe(true);
    expect(existsSync("x.db")).toBe(false);
  });
});

function count(file: string): unknown {
  const database = new Database(file, { readonly: true });
  try {
    return database.prepare("SELECT count(*) AS orders FROM orders").get();
  } finally {
    database.close();
  }
}
