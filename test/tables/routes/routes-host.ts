import { join } from "node:path";
import { getRequestListener } from "@hono/node-server";
import Database from "better-sqlite3";
import { Hono } from "hono";
import type { TableRoutesOptions } from "../../../src/tables/routes/table-routes-options.js";
import type { TableReplication } from "../../../src/tables/table-replication.js";
import { type HttpHost, startHttpHost } from "../../support/http-host.js";
import { tempDir } from "../../support/temp-dir.js";
import { FakeTables } from "../facade/fake-engine.js";

export const TOKEN = "correct-horse-battery";

/** An answer, its body parsed where it has one. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it as they like.
  readonly body: any;
}

/** The routes in a host's app, on a real port, over an engine in memory and a real local file with a table `t`. */
export interface RoutesHost {
  readonly fake: FakeTables;
  readonly tables: TableReplication;
  readonly host: HttpHost;
  readonly database: string;
  /** Sends JSON with the token; a string body goes as it is. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
}

export async function startRoutes(options: Partial<TableRoutesOptions> = {}): Promise<RoutesHost> {
  const database = join(tempDir(), "replica.db");
  const db = new Database(database);
  db.exec("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, big INTEGER, bytes BLOB, share REAL)");
  db.exec("INSERT INTO t VALUES (1, 'one', 9007199254740993, x'000102', 1e999), (2, NULL, 5, NULL, 0.5)");
  db.pragma("journal_mode = WAL");
  db.close();
  const fake = new FakeTables();
  const tables = fake.replication({ database, tables: ["users"] });
  await tables.start();
  const app = new Hono();
  app.route("/", tables.routes({ token: TOKEN, ...options }));
  app.get("/mine", (context) => context.text("the host's own"));
  const host = await startHttpHost(getRequestListener(app.fetch));
  return {
    fake,
    tables,
    host,
    database,
    async call(method, path, body, headers = {}) {
      const response = await fetch(`${host.origin}${path}`, {
        method,
        headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json", ...headers },
        ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, headers: response.headers, body: text === "" ? null : parse(text) };
    },
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
