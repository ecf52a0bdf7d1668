import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import Database from "better-sqlite3";
import { runSync } from "../../../src/pages/client/run-sync.js";
import { createPageClient } from "../../../src/pages/create-page-client.js";
import type {
  PageClient,
  PageClientOptions,
  PageSyncProgress,
  PageSyncResult,
} from "../../../src/pages/page-client.js";
import { atEnd } from "../../support/at-end.js";
import { tempDir } from "../../support/temp-dir.js";
import { type SyncServer, type SyncServerOptions, startSyncServer } from "../server/sync-server.js";

/** A real page server on loopback, a client of it, and a folder for local files. */
export interface ClientFixture {
  readonly server: SyncServer;
  /** The client as users have it: a process for each sync. */
  readonly client: PageClient;
  /** An empty folder. */
  readonly folder: string;
  /** What the process does, in this one, which must not have the file open. */
  push(file: string, options?: SyncOptions): Promise<PageSyncResult>;
  pull(file: string, options?: SyncOptions): Promise<PageSyncResult>;
  /** The bytes that the server has. */
  stored(database?: string): Promise<Buffer>;
}

export interface SyncOptions {
  readonly database?: string;
  readonly token?: string;
  /** `http:` Default: the server's. */
  readonly origin?: string;
  readonly idleMs?: number;
  readonly force?: boolean;
  readonly check?: boolean;
  readonly tell?: (progress: PageSyncProgress) => void;
  readonly signal?: AbortSignal;
}

interface FixtureOptions extends Omit<SyncServerOptions, "dir"> {
  readonly client?: Partial<PageClientOptions>;
}

export async function startFixture({ client: clientOptions, ...options }: FixtureOptions = {}): Promise<ClientFixture> {
  const folder = tempDir();
  const server = await startSyncServer({ dir: tempDir(), ...options });
  const origin = `http://127.0.0.1:${server.port}`;
  const client = createPageClient({ url: origin, ...clientOptions });
  atEnd(() => client.close());
  const token = (direction: "push" | "pull", database?: string) =>
    server.token(direction, database === undefined ? {} : { databaseId: database });
  return {
    server,
    client,
    folder,
    push: (file, given = {}) => syncHere("push", file, { origin, token: token("push", given.database), ...given }),
    pull: (file, given = {}) => syncHere("pull", file, { origin, token: token("pull", given.database), ...given }),
    async stored(database = "d-1") {
      const path = await server.store.file(database);
      if (path === null) throw new Error("Nothing was pushed");
      return readFileSync(path);
    },
  };
}

/** One sync as the process of its own runs it, in this one. */
export function syncHere(
  direction: "push" | "pull",
  file: string,
  options: SyncOptions & { readonly origin: string },
): Promise<PageSyncResult> {
  const { origin, token = direction, idleMs = 20_000, force = false, check = false } = options;
  const url = `${origin.replace(/^http/, "ws")}/sync`;
  const { tell = () => {}, signal = new AbortController().signal } = options;
  return runSync({ call: { direction, url, idleMs, file, token, force, check }, signal, tell });
}

export interface MadeDatabase {
  readonly pageSize?: number;
  readonly rows?: number;
  readonly pragmas?: readonly string[];
}

/** A database with a table `item (id, mark, body)`, closed. */
export function makeFile(path: string, { pageSize = 4096, rows = 300, pragmas = [] }: MadeDatabase = {}): string {
  const database = new Database(path);
  database.pragma(`page_size = ${pageSize}`);
  for (const pragma of pragmas) database.pragma(pragma);
  database.exec("CREATE TABLE item (id INTEGER PRIMARY KEY, mark TEXT NOT NULL, body BLOB NOT NULL)");
  const insert = database.prepare("INSERT INTO item (mark, body) VALUES ('', randomblob(700))");
  database.transaction(() => {
    for (let row = 0; row < rows; row += 1) insert.run();
  })();
  database.close();
  return path;
}

/** Changes it with SQL. */
export function change(path: string, sql: string): void {
  const database = new Database(path);
  database.exec(sql);
  database.close();
}

/** All rows, after `integrity_check`. */
export function rowsOf(path: string): unknown[] {
  const database = new Database(path, { readonly: true });
  try {
    const check = database.pragma("integrity_check", { simple: true });
    if (check !== "ok") throw new Error(String(check));
    return database.prepare("SELECT id, mark, hex(body) FROM item ORDER BY id").raw().all();
  } finally {
    database.close();
  }
}

/** What stands beside a file that is not of SQLite, and not what syncs keep there. */
export function leftBeside(file: string): string[] {
  const name = basename(file);
  return readdirSync(dirname(file)).filter(
    (one) =>
      one.includes(name) &&
      ![name, `${name}-replica.json`, `${name}-replica-lock`, `${name}-wal`, `${name}-shm`].includes(one),
  );
}
