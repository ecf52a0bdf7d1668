import { getRequestListener } from "@hono/node-server";
import Database from "better-sqlite3";
import { beforeAll, describe, expect, it } from "vitest";
import { startHttpHost } from "../../support/http-host.js";
import { openShop, type Shop } from "../facade/shop.js";

const TOKEN = "correct-horse-battery";

/** What would do harm where a text became SQL, a path, a pattern or an object's key. */
const HOSTILE = [
  `users"; DROP TABLE users; --`,
  "users'; DROP TABLE users; --",
  "users; DELETE FROM users",
  "users` WHERE 1=1; DROP TABLE users",
  "users]; DROP TABLE users; --",
  "' OR '1'='1",
  `" OR ""="`,
  "1); ATTACH DATABASE '/tmp/injected.db' AS x; --",
  "x' UNION SELECT sql FROM sqlite_master --",
  "users/**/",
  "users--",
  "main.users; PRAGMA writable_schema=1",
  "../../etc/passwd",
  "%27%20OR%201=1",
  "?",
  "?1",
  ":id",
  "$(reboot)",
  "__proto__",
  "constructor",
  "sqlite_master",
  "sqlite_schema",
  "replication_tasks",
  "\u0000users",
  "users\u0000; DROP TABLE users",
  "ＵＳＥＲＳ＇；ＤＲＯＰ",
  "\ud800",
] as const;

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it as they like.
  readonly body: any;
}

describe("SQL in the fields of the routes of tables", () => {
  let shop: Shop;
  let call: (method: string, path: string, body?: unknown) => Promise<Answer>;
  let before: string;

  beforeAll(async () => {
    shop = openShop(5);
    const tables = shop.replication({ tables: ["users"] });
    await tables.start();
    await tables.runTask("users");
    const host = await startHttpHost(getRequestListener(tables.routes({ token: TOKEN }).fetch));
    call = async (method, path, body) => {
      const response = await fetch(`${host.origin}${path}`, {
        method,
        headers: { authorization: `Bearer ${TOKEN}` },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, body: text === "" ? null : JSON.parse(text) };
    };
    before = fingerprint();
  });

  /** Everything in the source, and in the local file all that is no run's or cursor's record. */
  function fingerprint(): string {
    const local = new Database(`${shop.dir}/replica.db`, { readonly: true });
    const schema = "SELECT type, name, sql FROM sqlite_schema ORDER BY name";
    const facts = [
      shop.db.prepare(schema).all(),
      shop.db.prepare("SELECT * FROM users").all(),
      shop.db.prepare("SELECT * FROM orders").all(),
      local.prepare(schema).all(),
      local.prepare("SELECT * FROM users").all(),
      local.prepare("SELECT count(*) AS tasks FROM replication_tasks").all(),
    ];
    local.close();
    return JSON.stringify(facts);
  }

  const FIELDS: ReadonlyArray<readonly [field: string, body: (text: string) => object]> = [
    ["source", (text) => ({ sourceTable: "orders", source: text })],
    ["sourceTable", (text) => ({ sourceTable: text, targetTable: "other" })],
    ["columns", (text) => ({ sourceTable: "orders", columns: ["id", text] })],
    ["cursorColumn", (text) => ({ sourceTable: "orders", cursorColumn: text })],
    ["mode", (text) => ({ sourceTable: "orders", mode: text })],
    ["intervalSeconds", (text) => ({ sourceTable: "orders", intervalSeconds: text })],
    ["batchSize", (text) => ({ sourceTable: "orders", batchSize: text })],
    ["deletes", (text) => ({ sourceTable: "orders", deletes: text })],
    ["numeric", (text) => ({ sourceTable: "orders", numeric: text })],
    ["a field of its own", (text) => ({ sourceTable: "orders", ...Object.fromEntries([[text, 1]]) })],
  ];

  it.each(FIELDS)("comes to nothing in %s of a new task", async (_, body) => {
    for (const text of HOSTILE) {
      const { status, body: answer } = await call("POST", "/replication/tasks", body(text));
      expect([text, status, typeof answer.error, typeof answer.code]).toEqual([text, 400, "string", "string"]);
    }
    expect(fingerprint()).toBe(before);
  });

  it("is no more than a name as the target of a task", async () => {
    for (const text of HOSTILE) {
      const made = await call("POST", "/replication/tasks", { sourceTable: "orders", targetTable: text });
      if (made.status === 400) {
        expect(made.body.code).toBe("INVALID_TASK");
        continue;
      }
      expect([text, made.status]).toEqual([text, 201]);
      expect((await call("POST", `/replication/tasks/${made.body.id}/run`)).status).toBe(200);
      expect((await call("POST", `/replication/tasks/${made.body.id}/verify`)).body).toMatchObject({ equal: true });
      const local = new Database(`${shop.dir}/replica.db`);
      const copied = local.prepare(`SELECT count(*) AS rows FROM "${text.replaceAll('"', '""')}"`).get();
      expect([text, copied]).toEqual([text, { rows: 5 }]);
      expect((await call("DELETE", `/replication/tasks/${made.body.id}`)).status).toBe(204);
      local.exec(`DROP TABLE "${text.replaceAll('"', '""')}"`);
      local.close();
    }
    expect(fingerprint()).toBe(before);
  });

  it("comes to nothing in the id of a path", async () => {
    for (const text of HOSTILE.filter((one) => one !== "\ud800")) {
      const path = `/replication/tasks/${encodeURIComponent(text)}`;
      const asked = [
        call("GET", path),
        call("PATCH", path, { paused: true }),
        call("DELETE", path),
        call("POST", `${path}/run`),
        call("POST", `${path}/verify`, { repair: true }),
      ];
      for (const { status } of await Promise.all(asked)) expect([text, status]).toEqual([text, 404]);
    }
    expect(fingerprint()).toBe(before);
  });

  it("comes to nothing in a change, a wait, a repair or the parameters of a query", async () => {
    for (const text of HOSTILE) {
      const wait = encodeURIComponent(text.replace("\ud800", "x"));
      const asked = [
        call("PATCH", "/replication/tasks/users", { paused: text }),
        call("PATCH", "/replication/tasks/users", { intervalSeconds: text }),
        call("PATCH", "/replication/tasks/users", { batchSize: text }),
        call("PATCH", "/replication/tasks/users", Object.fromEntries([[text, true]])),
        call("POST", `/replication/tasks/users/run?wait=${wait}`),
        call("POST", "/replication/tasks/users/verify", { repair: text }),
        call("POST", "/query", { sql: "SELECT ?", params: [{ integer: text }] }),
        call("POST", "/query", { sql: "SELECT ?", params: [{ base64: `${text}!` }] }),
        call("POST", "/query", { sql: "SELECT ?", params: text }),
        call("POST", "/query", { sql: text }),
      ];
      for (const { status } of await Promise.all(asked)) expect([text, status]).toEqual([text, 400]);
      const echo = await call("POST", "/query", { sql: "SELECT count(*) FROM users WHERE name = ?", params: [text] });
      expect(echo).toMatchObject({ status: 200, body: { rows: [[0]] } });
    }
    expect(fingerprint()).toBe(before);
  });

  it("is no more than a name where the source has it", async () => {
    const table = `odd"; DROP TABLE users; --`;
    const column = `v'); DELETE FROM users; --"`;
    const [t, c] = [table, column].map((name) => `"${name.replaceAll('"', '""')}"`);
    shop.db.exec(`CREATE TABLE ${t} (id INTEGER PRIMARY KEY, ${c} TEXT)`);
    shop.db.prepare(`INSERT INTO ${t} (${c}) VALUES (?)`).run(column);
    const made = await call("POST", "/replication/tasks", { sourceTable: table, columns: ["id", column] });
    expect(made.status).toBe(201);
    expect(await call("POST", `/replication/tasks/${made.body.id}/run`)).toMatchObject({ status: 200 });
    expect((await call("POST", "/query", { sql: `SELECT ${c} FROM ${t}` })).body).toEqual({
      columns: [column],
      rows: [[column]],
    });
  });
});
