import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { AdminService } from "../../../src/pages/admin/gen/edgereplica/admin/v1/admin_pb.js";
import { spawnNode } from "../../support/child.js";
import { freePort } from "../../support/free-port.js";
import { readGuide } from "../../support/guide.js";
import { installedProject, runShell } from "../../support/installed-project.js";

const guide = readGuide("docs/pages.md");
const KEY = randomBytes(32).toString("base64");

/** A block as a reader with another port free, and what `npx` finds on the path, has it. */
function takeShell(text: string, port: number): string {
  return guide.take("sh", text).replaceAll("npx ", "").replaceAll("4000", `${port}`);
}

function writeProgram(dir: string, name: string, port: number): void {
  const code = guide.take("js", `// ${name}`);
  writeFileSync(join(dir, name), code.replaceAll("4000", `${port}`));
}

describe("the tutorial of docs/pages.md", () => {
  it("installs packages that this one knows", () => {
    const { name, dependencies, peerDependencies } = JSON.parse(readFileSync("package.json", "utf8"));
    const [, install = ""] = /npm install (.*)/.exec(guide.take("sh", "npm init -y")) ?? [];
    const [first, ...others] = install.split(" ");
    expect(first).toBe(name);
    for (const other of others) expect({ ...dependencies, ...peerDependencies }).toHaveProperty([other]);
  });

  it("goes from sign-up to pull, and on with the other commands, as it stands", { timeout: 60_000 }, async () => {
    const dir = installedProject();
    const port = await freePort();
    for (const name of ["server.mjs", "sync.mjs", "follow.mjs", "shorten.mjs"]) writeProgram(dir, name, port);
    const until = `until curl -s -o /dev/null http://127.0.0.1:${port}; do sleep 0.1; done`;
    const script = [
      takeShell("node server.mjs &", port).replace(/sleep 2.*/, until),
      takeShell("signup ada@example.com", port),
      takeShell("sqlite3 copy.db", port),
      takeShell("sqlite3 -readonly", port),
      takeShell("login ada@example.com", port),
      "export STARFISH_REPLICA_SYNC_TOKEN=$(node shorten.mjs)",
      "node sync.mjs",
      takeShell("/ListDatabases", port),
      "sqlite3 shop.db \"INSERT INTO orders (what) VALUES ('tea')\"",
      "starfish-replica sync push --db shop.db --token $(starfish-replica db token $ID --direction push)",
      `${takeShell("node follow.mjs", port).trim()} & FOLLOW=$!`,
      'until [ "$(sqlite3 copy.db "SELECT count(*) FROM orders")" = 3 ]; do sleep 0.1; done',
      "kill -INT $FOLLOW; wait $FOLLOW",
      "kill -INT %1; wait %1",
    ].join("\n");
    const { code, stdout, stderr } = await runShell(dir, script, { XDG_CONFIG_HOME: join(dir, "config") });
    expect([code, stderr.replace(/^(Reading|Comparing|Pushing|Pulling|Writing|Checking) .*\n/gm, "")]).toEqual([0, ""]);
    const said = [
      "ready",
      "Signed up as ada@example.com",
      "Pushed shop.db: 2 of 2 pages, .*, generation 1 .*",
      "Pulled copy.db: 2 of 2 pages, .*, generation 1 .*",
      "2",
      String.raw`1\|bread`,
      String.raw`2\|jam`,
      "Logged in as ada@example.com",
      String.raw`\w{32}\tshop`,
      "Nothing to pull: copy.db is what the server has, generation 1 .*",
      String.raw`(\w+ \d+ of \w+\n)+\{\n  changed: false,\n  database: '\w{32}',\n  generation: 1,\n[^}]*\}`,
      String.raw`\{"databases":\[\{"id":"\w{32}".*\}\]\}\{"token":".*","expUnix":"\d+"\}` +
        "Pushed shop.db: 2 of 2 pages, .*, generation 2 .*",
    ];
    expect(stdout).toMatch(new RegExp(`^${said.join("\n")}\n$`));
  });
});

describe("the rest of docs/pages.md", () => {
  it("has events, addresses from a proxy, and gRPC", async () => {
    const dir = installedProject();
    const port = await freePort();
    const server = guide.take("js", "clientAddress:").replace("// ...", `dir: "data", sessionKey: "${KEY}",`);
    writeFileSync(
      join(dir, "server.mjs"),
      `import { createPageServer } from "starfish-replica/pages";
      ${guide.take("js", "PAGE_EVENTS")}
      const pages = ${server}
      await pages.start();
      ${guide.take("js", "pages.grpc").replace("4001", `${port}`)}
      console.log("ready");`,
    );
    const program = spawnNode(join(dir, "server.mjs"), [], { cwd: dir });
    await program.waitForLine(/^ready$/, 30_000);
    const client = createClient(AdminService, createGrpcTransport({ baseUrl: `http://127.0.0.1:${port}` }));
    await expect(client.whoami({})).rejects.toSatisfy(
      (error) => ConnectError.from(error).code === Code.Unauthenticated,
    );
    expect(program.stderr).toBe("");
    await program.kill();
  });

  it("has settings of providers in the environment", async () => {
    const read = `import { readPageServerEnvironment } from "starfish-replica/pages";
      console.log(JSON.stringify(readPageServerEnvironment(process.env)));`;
    const script = `${guide.take("sh", "OAUTH_REDIRECT_BASE")}\nnode --input-type=module -e '${read}'`;
    const { stdout, stderr } = await runShell(installedProject(), script);
    expect(stderr).toBe("");
    const provider = { clientId: "...", clientSecret: "..." };
    const oauthRedirectBase = "https://sync.example.com";
    expect(JSON.parse(stdout)).toEqual({ oauthRedirectBase, github: provider, google: provider });
  });

  it("follows over server-sent events", { timeout: 60_000 }, async () => {
    const dir = installedProject();
    const port = await freePort();
    const [server = "", follow = ""] = guide.take("js", "createSseChanges(").split("// In follow.mjs:\n");
    new Database(join(dir, "shop.db"))
      .exec("CREATE TABLE orders (what TEXT); INSERT INTO orders VALUES ('bread')")
      .close();
    const ask = /async function ask[\s\S]*/.exec(guide.take("js", "// follow.mjs"))?.[0] ?? "";
    writeFileSync(
      join(dir, "all.mjs"),
      `import { serve } from "@hono/node-server";
      import Database from "better-sqlite3";
      import { Hono } from "hono";
      import { ChannelScheduler } from "starfish-replica";
      import { createSseChanges, createSseFeed } from "starfish-replica/feeds";
      import { createPageChannel, createPageClient, createPageServer } from "starfish-replica/pages";
      const url = "http://127.0.0.1:${port}";
      const app = new Hono();
      const config = { version: 1, collections: [] };
      const roleResolver = async () => ({ identity: "somebody", roles: ["syncer"] });
      ${server}
      app.route("/", pages.app);
      await pages.start();
      const http = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: ${port} });
      http.on("upgrade", pages.upgrade);
      const { sessionToken } = await ask("Signup", { email: "ada@example.com", password: "correct horse battery" });
      const authorization = { authorization: "Bearer " + sessionToken };
      const { id } = await ask("CreateDatabase", { name: "shop" }, authorization);
      process.env.ID = id;
      const tokenFor = async (direction) => (await ask("IssueSyncToken", { databaseId: id, direction }, authorization)).token;
      const freshToken = () => tokenFor("DIRECTION_PULL");
      const client = createPageClient({ url });
      const push = async () => client.push({ file: "shop.db", token: await tokenFor("DIRECTION_PUSH") });
      await push();
      ${follow.replace("https://sync.example.com", `http://127.0.0.1:${port}`)}
      const scheduler = new ChannelScheduler([{ channel, schedule }], { onError: (name, error) => console.error(error) });
      scheduler.start();
      const rows = async (count) => {
        for (;;) {
          try {
            const copy = new Database("copy.db", { fileMustExist: true, readonly: true });
            const found = copy.prepare("SELECT count(*) FROM orders").pluck().get();
            copy.close();
            if (found === count) return;
          } catch {}
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      };
      await rows(1);
      new Database("shop.db").exec("INSERT INTO orders VALUES ('jam')").close();
      await push();
      await rows(2);
      console.log("followed");
      process.exit();
      ${ask}`,
    );
    const program = spawnNode(join(dir, "all.mjs"), [], { cwd: dir, env: { SESSION_KEY: KEY } });
    expect([await program.exited, program.stderr, program.lines]).toEqual([
      { code: 0, signal: null },
      "",
      ["followed"],
    ]);
  });

  it("is code that a test runs, all of it", () => {
    // No nginx is here.
    expect(guide.untaken()).toEqual([expect.stringMatching(/^map \$http_upgrade/)]);
  });
});
