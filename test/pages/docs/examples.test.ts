import { randomBytes } from "node:crypto";
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { createPageClient } from "../../../src/pages/create-page-client.js";
import { atEnd } from "../../support/at-end.js";
import { type Child, spawnNode } from "../../support/child.js";
import { installedProject } from "../../support/installed-project.js";
import { inCi } from "../../support/size.js";
import { waitFor } from "../../support/wait.js";

const PASSWORD = "correct horse battery";
const KEY = randomBytes(32).toString("base64");
const STOPPED = { code: 0, signal: null };

function exampleProject(): string {
  const dir = installedProject();
  for (const name of ["page-server.mjs", "page-follow.mjs"]) copyFileSync(join("examples", name), join(dir, name));
  return dir;
}

interface ExampleServer {
  readonly program: Child;
  readonly url: string;
}

async function startServer(dir: string, env: Record<string, string> = {}): Promise<ExampleServer> {
  const options = { cwd: dir, env: { SESSION_KEY: KEY, ...env } };
  const program = spawnNode(join(dir, "page-server.mjs"), ["data", "0"], options);
  const [, address] = await program.waitForLine(/^listening on (\S+:\d+); Ctrl-C ends it$/, 30_000);
  return { program, url: `http://${address}` };
}

/** A call of the admin service. */
async function ask(url: string, method: string, message: object, session = ""): Promise<Record<string, string>> {
  const response = await fetch(`${url}/edgereplica.admin.v1.AdminService/${method}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(session !== "" && { authorization: `Bearer ${session}` }) },
    body: JSON.stringify(message),
  });
  return (await response.json()) as Record<string, string>;
}

function write(dir: string, sql: string): void {
  new Database(join(dir, "shop.db")).exec(sql).close();
}

function rowsOf(dir: string, name: string): unknown[] {
  const copy = new Database(join(dir, name), { readonly: true });
  const rows = copy.prepare("SELECT what FROM orders").pluck().all();
  copy.close();
  return rows;
}

function follow(dir: string, url: string, password: string, ...args: string[]): Child {
  const env = { STARFISH_REPLICA_SERVER: url, STARFISH_REPLICA_PASSWORD: password, INTERVAL_SECONDS: "0.05" };
  return spawnNode(join(dir, "page-follow.mjs"), args, { cwd: dir, env });
}

describe("examples/page-server.mjs and examples/page-follow.mjs", () => {
  it("serve a database and follow it, tell what they do, and end with Ctrl-C", { timeout: 60_000 }, async () => {
    const dir = exampleProject();
    const { program, url } = await startServer(dir);
    const { sessionToken = "" } = await ask(url, "Signup", { email: "ada@example.com", password: PASSWORD });
    const { id = "" } = await ask(url, "CreateDatabase", { name: "shop" }, sessionToken);
    const wanted = { databaseId: id, direction: "DIRECTION_PUSH" };
    const { token = "" } = await ask(url, "IssueSyncToken", wanted, sessionToken);
    const client = createPageClient({ url });
    atEnd(() => client.close());
    const push = () => client.push({ file: join(dir, "shop.db"), token });
    write(dir, "CREATE TABLE orders (what TEXT); INSERT INTO orders VALUES ('bread')");
    await push();
    await program.waitForLine(
      new RegExp(`^1: push of ${id}: completed, generation 1 \\(2 pages, 8192 bytes, \\d+ ms\\)$`),
    );

    const wrong = follow(dir, url, PASSWORD, "ada@example.com", "nope", "copy.db");
    const stranger = follow(dir, url, "another password", "ada@example.com", "shop", "copy.db");
    expect([(await wrong.exited).code, wrong.stderr]).toEqual([
      1,
      'Error: ada@example.com has no database "nope", but shop\n',
    ]);
    expect([(await stranger.exited).code, stranger.stderr]).toEqual([
      1,
      expect.stringMatching(/^unauthenticated: .*\n$/),
    ]);

    const follower = follow(dir, url, PASSWORD, "ada@example.com", "shop", "copy.db");
    await follower.waitForLine(/^copy\.db follows shop; Ctrl-C ends it$/, 30_000);
    await follower.waitForLine(/^copy\.db: 2 pages, \d+ bytes, \d+ ms$/, 30_000);
    write(dir, "INSERT INTO orders VALUES ('jam')");
    await push();
    await follower.waitForLine(/^copy\.db: 2 pages, /, 30_000);
    expect(rowsOf(dir, "copy.db")).toEqual(["bread", "jam"]);
    expect(follower.stderr).toBe("");

    // What somebody writes to the copy is not undone.
    new Database(join(dir, "copy.db")).exec("INSERT INTO orders VALUES ('mine')").close();
    write(dir, "INSERT INTO orders VALUES ('tea')");
    await push();
    await waitFor(() => /^LOCAL_CHANGES: .*copy\.db was changed since its last sync/m.test(follower.stderr), {
      timeoutMs: 20_000,
    });
    expect(rowsOf(dir, "copy.db")).toEqual(["bread", "jam", "mine"]);

    expect([await follower.kill("SIGINT"), follower.lines.at(-1)]).toEqual([STOPPED, "stopped"]);
    expect([await program.kill("SIGINT"), program.lines.at(-1), program.stderr]).toEqual([STOPPED, "stopped", ""]);
    expect(readdirSync(join(dir, "data/databases"))).toContain(`${id}.db`);
  });

  it.runIf(inCi)("say what is wrong where they cannot begin", { timeout: 60_000 }, async () => {
    const dir = exampleProject();
    const { program, url } = await startServer(dir, { ALLOW_SIGNUP: "no" });
    const closed = await ask(url, "Signup", { email: "ada@example.com", password: PASSWORD });
    expect(closed).toMatchObject({ code: "permission_denied" });
    const port = new URL(url).port;
    writeFileSync(join(dir, "file"), "");
    const mistakes = [
      [[], {}, 2, /^Usage: /],
      [["data", "http"], {}, 2, /^Usage: /],
      [
        ["other"],
        { SESSION_KEY: "" },
        1,
        /^INVALID_CONFIGURATION: [\s\S]*sessionKey is missing: make one with `openssl rand/,
      ],
      [["other"], { GITHUB_CLIENT_ID: "x" }, 1, /^INVALID_CONFIGURATION: [\s\S]*GITHUB_CLIENT_SECRET is missing/],
      [["data", "0"], {}, 1, /^PAGE_STORE: The folder \S+data is in use by another page server/],
      [["file", "0"], {}, 1, /^PAGE_STORE: /],
      [["other", port], {}, 1, /^EADDRINUSE: /],
    ] as const;
    const tried = mistakes.map(async ([args, env, code, words]) => {
      const failed = spawnNode(join(dir, "page-server.mjs"), args, { cwd: dir, env: { SESSION_KEY: KEY, ...env } });
      expect([(await failed.exited).code, failed.stderr]).toEqual([code, expect.stringMatching(words)]);
    });
    const nothing = spawnNode(join(dir, "page-follow.mjs"));
    await Promise.all(tried);
    expect([(await nothing.exited).code, nothing.stderr]).toEqual([2, expect.stringMatching(/^Usage: /)]);
    expect(await program.kill("SIGTERM")).toEqual(STOPPED);
    const nobody = follow(dir, url, PASSWORD, "ada@example.com", "shop", "copy.db");
    expect([(await nobody.exited).code, nobody.stderr]).toEqual([
      1,
      expect.stringMatching(/^Error: http\S+ gives no answer: .*ECONNREFUSED/),
    ]);
  });

  it("is counted by the address that the proxy names, where it is told so", async () => {
    const dir = exampleProject();
    const { url } = await startServer(dir, { BEHIND_PROXY: "yes" });
    const attempt = (ip: string) =>
      fetch(`${url}/edgereplica.admin.v1.AdminService/Signup`, {
        method: "POST",
        headers: { "content-type": "application/json", "x-real-ip": ip },
        body: "{}",
      }).then(({ status }) => status);
    for (let count = 0; count < 10; count += 1) expect(await attempt("203.0.113.1")).toBe(400);
    expect(await attempt("203.0.113.1")).toBe(429);
    expect(await attempt("203.0.113.2")).toBe(400);
  });

  it("name every setting that the server reads", () => {
    const text = readFileSync("examples/page-server.mjs", "utf8");
    const source = readFileSync("src/pages/page-server-environment.ts", "utf8");
    const names = [...source.matchAll(/"([A-Z_]{6,})"/g)].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(5);
    for (const name of names) expect(text).toContain(name);
  });
});
