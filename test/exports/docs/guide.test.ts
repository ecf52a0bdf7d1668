import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { spawnNode } from "../../support/child.js";
import { freePort } from "../../support/free-port.js";
import { readGuide } from "../../support/guide.js";
import { installedProject, runShell } from "../../support/installed-project.js";
import { inCi } from "../../support/size.js";

const guide = readGuide("docs/exports.md");
const TOKEN = "a-token";
const SHOP = `CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO users (name) VALUES ('Ada'), ('Grace');
  CREATE TABLE orders (id INTEGER PRIMARY KEY, total REAL); INSERT INTO orders (total) VALUES (1.5)`;
/** Exports that run, for blocks that begin in the middle of a program. */
const BEGUN = `import { createExports } from "starfish-replica/exports";
const exporter = createExports({ database: "shop.db", dir: "exports" });
await exporter.start();
`;

function shopProject(): string {
  const dir = installedProject();
  new Database(join(dir, "shop.db")).exec(SHOP).close();
  return dir;
}

/** Runs a program in a project and gives what it prints. */
async function runProgram(dir: string, code: string, env: Record<string, string> = {}): Promise<string> {
  writeFileSync(join(dir, "program.mjs"), code);
  const program = spawnNode(join(dir, "program.mjs"), [], { cwd: dir, env });
  const { code: status } = await program.exited;
  expect(program.stderr).toBe("");
  expect(status).toBe(0);
  return program.lines.join("\n");
}

/** The first program of the guide, in a folder with a database. Resolves with what its users set. */
async function serveShop(dir: string): Promise<Record<string, string>> {
  const port = await freePort();
  const code = guide.take("js", "// exports.mjs").replace("port: 4000", `port: ${port}`);
  writeFileSync(join(dir, "exports.mjs"), code);
  const env = { STARFISH_REPLICA_TOKEN: TOKEN, STARFISH_REPLICA_SERVER: `http://127.0.0.1:${port}` };
  await spawnNode(join(dir, "exports.mjs"), [], { cwd: dir, env }).waitForLine(/^ready$/, 30_000);
  return env;
}

describe("the first export of docs/exports.md", () => {
  it("installs packages that this one knows", () => {
    const { name, dependencies, peerDependencies } = JSON.parse(readFileSync("package.json", "utf8"));
    const [, install = ""] = /npm install (.*)/.exec(guide.take("sh", "npm init -y")) ?? [];
    const names = install.split(" ");
    expect(names.slice(0, 1)).toEqual([name]);
    for (const other of names.slice(1)) expect({ ...dependencies, ...peerDependencies }).toHaveProperty([other]);
  });

  it("runs as it stands", { timeout: 60_000 }, async () => {
    const dir = installedProject();
    const port = await freePort();
    const program = guide.take("js", "// exports.mjs");
    const script = guide.take("sh", "node exports.mjs &");
    expect(program).toContain("port: 4000");
    writeFileSync(join(dir, "exports.mjs"), program.replace("4000", `${port}`));
    const here = script
      .replace("4000", `${port}`)
      .replaceAll("npx ", "")
      .replace(/sleep 2.*/, `until curl -s -o /dev/null $STARFISH_REPLICA_SERVER; do sleep 0.1; done`);
    const end = 'sqlite3 restored.db "SELECT * FROM users"\nkill -INT %1\nwait %1';
    const { code, stdout, stderr } = await runShell(dir, `${here}${end}`);
    expect(stderr).toMatch(/^Completed: 1 table, 2 rows/m);
    expect(stdout).toBe("ready\ndump.sql\n1|Ada\n2|Grace\n");
    expect(code).toBe(0);
  });

  it("runs without a server, and shows a job in the documented form", async () => {
    const block = guide.take("js", 'startJob({ format: "ndjson", tables: ["users"] })');
    const end = `\nconst text = await new Response(body).text();
      console.log(JSON.stringify({ job, fileName, text })); await exporter.stop();`;
    const { job, fileName, text } = JSON.parse(await runProgram(shopProject(), BEGUN + block + end));
    expect(fileName).toMatch(/^users-\d{4}-\d\d-\d\d\.ndjson$/);
    expect(text.split("\n")[0]).toBe('{"table":"users","row":{"id":1,"name":"Ada"}}');
    const documented = new Function(`return (${guide.take("js", "createdAt:")})`)();
    expect(Object.keys(job)).toEqual(Object.keys(documented));
    expect(Object.keys(job.progress)).toEqual(Object.keys(documented.progress));
    expect(job.artifact).toEqual({ bytes: Buffer.byteLength(text), sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
  });
});

describe("restoring after docs/exports.md", () => {
  it.each([
    ["dump.sql", "PRAGMA integrity_check", { format: "sql" }],
    ["users.csv", ".import", { format: "csv", table: "users" }],
    ["users.json", "json_each", { format: "json", table: "users" }],
    ["dump.ndjson", "restore-ndjson", { format: "ndjson", tables: ["users"] }],
  ])("gives the rows of %s", async (file, part, selection) => {
    const dir = shopProject();
    copyFileSync("examples/restore-ndjson.mjs", join(dir, "restore-ndjson.mjs"));
    const save = `import { writeFileSync } from "node:fs";
      const { body } = await exporter.stream(${JSON.stringify(selection)});
      writeFileSync("${file}", await new Response(body).text()); await exporter.stop();`;
    await runProgram(dir, BEGUN + save);
    const { code, stdout, stderr } = await runShell(dir, guide.take("sh", part));
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toBe({ "dump.sql": "ok\n", "dump.ndjson": "2 rows\n" }[file] ?? "");
    const restored = new Database(join(dir, "restored.db"));
    expect(restored.prepare("SELECT * FROM users").raw().all()).toEqual([
      [1, "Ada"],
      [2, "Grace"],
    ]);
    restored.close();
  });
});

describe("the rest of docs/exports.md", () => {
  it("has options for a bucket that are taken", async () => {
    const program = `import { createExports } from "starfish-replica/exports";\n${guide.take("js", "s3: {")}`;
    expect(await runProgram(installedProject(), `${program}\nconsole.log(typeof exporter.start);`)).toBe("function");
  });

  it("streams a table into a file", async () => {
    const dir = shopProject();
    const program = BEGUN + guide.take("js", "exporter.stream(");
    const fileName = await runProgram(dir, `${program}\nconsole.log(fileName); await exporter.stop();`);
    expect(readFileSync(join(dir, fileName), "utf8")).toBe('"id","name"\r\n1,"Ada"\r\n2,"Grace"\r\n');
  });

  it.runIf(inCi)("sends a callback to a receiver that proves it", { timeout: 60_000 }, async () => {
    const dir = shopProject();
    const env = { WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 7).toString("base64")}` };
    const port = `${await freePort()}`;
    writeFileSync(join(dir, "receiver.mjs"), guide.take("js", "// receiver.mjs").replace("4001", port));
    const receiver = spawnNode(join(dir, "receiver.mjs"), [], { cwd: dir, env });
    await receiver.waitForLine(/^listening$/, 30_000);
    const program = `import { createExports } from "starfish-replica/exports";
      ${guide.take("js", "callbackUrl:").replace("4001", port)}
      const last = async () => (await exporter.jobs())[0].callback;
      while ((await last()).state !== "delivered") await new Promise((resolve) => setTimeout(resolve, 20));
      console.log(JSON.stringify(await last())); await exporter.stop();`;
    const callback = JSON.parse(await runProgram(dir, program, env));
    expect(callback).toEqual({ url: `http://127.0.0.1:${port}/exports`, state: "delivered", attempts: 1 });
    await receiver.waitForLine(/^export\.completed [0-9a-f-]{36} \{/);
    const forged = await fetch(callback.url, { method: "POST", body: "{}", headers: { "webhook-id": "msg_1" } });
    expect(forged.status).toBe(401);
    expect(receiver.stderr).toBe("");
  });

  it.runIf(inCi)("asks over HTTP", { timeout: 60_000 }, async () => {
    const dir = shopProject();
    const env = await serveShop(dir);
    const first = 'JOB=$(starfish-replica export start)\ncurl() { command curl -sS --fail-with-body "$@"; }\n';
    const { code, stdout, stderr } = await runShell(dir, first + guide.take("sh", 'H="Authorization'), env);
    expect(stderr.replace(/^(Completed|Fetch|curl: Saved).*\n/gm, "")).toBe("");
    expect(code).toBe(0);
    expect(readFileSync(join(dir, "now.sql"), "utf8")).toMatch(/\nCOMMIT;\n/);
    expect(readFileSync(join(dir, "now.ndjson"), "utf8").trim().split("\n")).toHaveLength(3);
    expect(readFileSync(join(dir, "users.csv"), "utf8")).toBe('"id","name"\r\n1,"Ada"\r\n2,"Grace"\r\n');
    expect(stdout).toMatch(/^\[\n\{"id":1,"name":"Ada"\}/);
    expect(stdout).toMatch(/\{"id":"[0-9a-f-]{36}","state":"queued","format":"csv","tables":\["users"\]/);
    const today = new Date().toISOString().slice(0, 10);
    expect(readFileSync(join(dir, `shop-${today}.sql`), "utf8")).toBe(readFileSync(join(dir, "now.sql"), "utf8"));
  });

  it.runIf(inCi)("goes by the command line", { timeout: 60_000 }, async () => {
    const dir = shopProject();
    const env = await serveShop(dir);
    const script = guide.take("sh", "export cancel").replaceAll("npx ", "");
    const { code, stdout } = await runShell(dir, script, env);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^[0-9a-f-]{36}\nJOB +STATE/);
    expect(stdout).toContain('\n{"table":"users","row":{"id":1,"name":"Ada"}}\nJob ');
    expect(readFileSync(join(dir, "backup.sql"), "utf8")).toMatch(/\nCOMMIT;\n/);
  });

  it("tells of a job that failed", async () => {
    const dir = shopProject();
    const program = `import { createExports } from "starfish-replica/exports";
      ${guide.take("js", "EXPORT_EVENTS")}
      const exporter = createExports({ database: "shop.db", dir: "exports", maxDiskBytes: 1 });
      await exporter.start();
      console.error = (...words) => console.log(...words);
      await exporter.finished((await exporter.startJob()).id); await exporter.stop();`;
    expect(await runProgram(dir, program)).toMatch(/^[0-9a-f-]{36} DISK_LIMIT Exports would take more than 1 bytes/);
  });

  it.runIf(inCi)("is code that a test runs, all of it", () => {
    // That one needs a PostgreSQL: restoring.test.ts.
    expect(guide.untaken()).toEqual([expect.stringMatching(/^\\copy /)]);
  });
});
