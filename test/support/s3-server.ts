import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, mkdirSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { S3 } from "@aws-sdk/client-s3";
import { atEnd } from "./at-end.js";
import { tempDir } from "./temp-dir.js";
import { waitFor } from "./wait.js";

/** The version that `.ci/run` builds. */
const VERSION = "v1.8.0";
const INSTALL = `go install github.com/versity/versitygw/cmd/versitygw@${VERSION}`;
const REGION = "eu-test-1";

// Its stdin closes when we end, however we end: then the server goes, and its files.
const WATCH = 'cat >/dev/null; kill -KILL "$1"; rm -rf "$2"';

const KEYS = { accessKeyId: "test-access-key", secretAccessKey: "test-secret-key" };

/** A real S3 server on loopback: versitygw over a folder. */
export interface TestS3 {
  readonly port: number;
  readonly bucket: string;
  /** What a store takes for it; another port is that of a proxy. */
  options(port?: number): {
    readonly bucket: string;
    readonly endpoint: string;
    readonly region: string;
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
  };
  /** To look behind a store's back. */
  readonly s3: S3;
  /** Empties the bucket: objects and unfinished uploads. */
  empty(): Promise<void>;
  /** Keys of objects, and `<key> (upload)` for each unfinished upload. */
  contents(): Promise<string[]>;
  /** Ends it at once. Its data stay. */
  stop(): Promise<void>;
  /** Starts it again on the same port. */
  start(): Promise<void>;
}

/** Why there is no S3 server here and how to get one; `null` where there is one. For `describe.skipIf`. */
export function s3ServerMissing(): string | null {
  return findServer() === null ? `needs versitygw, which is not installed: ${INSTALL}` : null;
}

/** Starts a {@link TestS3} with an empty bucket: for one test file, in `beforeAll`. It ends with the test file. */
export async function startS3Server(): Promise<TestS3> {
  const program = findServer();
  if (program === null) throw new Error(`versitygw is not installed: ${INSTALL}`);
  const dir = tempDir();
  for (const name of ["root", "metadata"]) mkdirSync(join(dir, name));
  const port = await freePort();
  const bucket = "exports";
  let server: ChildProcess | undefined;
  let watcher: ChildProcess | undefined;
  const stop = async () => {
    const old = server;
    server = undefined;
    watcher?.kill("SIGKILL");
    if (old === undefined || old.exitCode !== null || old.signalCode !== null) return;
    const exited = once(old, "exit");
    old.kill("SIGKILL");
    await exited;
  };
  const start = async () => {
    let log = "";
    const started = spawn(
      program,
      [
        ...["--access", KEYS.accessKeyId, "--secret", KEYS.secretAccessKey, "--region", REGION],
        ...["--port", `127.0.0.1:${port}`, "--keep-alive", "--quiet"],
        // Metadata in files of their own: not every temp folder has extended attributes.
        ...["posix", "--sidecar", join(dir, "metadata"), join(dir, "root")],
      ],
      { cwd: dir, stdio: ["ignore", "pipe", "pipe"] },
    );
    server = started;
    if (started.pid !== undefined) watcher = watch(started.pid, dir);
    for (const stream of [started.stdout, started.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        log = (log + text).slice(-4000);
      });
    }
    await waitFor(
      () => {
        if (started.exitCode !== null) throw new Error(`versitygw ended: ${log}`);
        return answers(port);
      },
      { timeoutMs: 20_000, what: "versitygw to listen" },
    );
  };
  atEnd(stop);
  await start();

  const options: TestS3["options"] = (at = port) => ({
    bucket,
    endpoint: `http://127.0.0.1:${at}`,
    region: REGION,
    ...KEYS,
  });
  const s3 = new S3({ endpoint: `http://127.0.0.1:${port}`, region: REGION, credentials: KEYS, forcePathStyle: true });
  atEnd(() => s3.destroy());
  await s3.createBucket({ Bucket: bucket });
  const uploads = async () => (await s3.listMultipartUploads({ Bucket: bucket })).Uploads ?? [];
  const objects = async () => (await s3.listObjectsV2({ Bucket: bucket })).Contents ?? [];
  return {
    port,
    bucket,
    options,
    s3,
    async empty() {
      for (const { Key, UploadId } of await uploads()) await s3.abortMultipartUpload({ Bucket: bucket, Key, UploadId });
      for (const { Key } of await objects()) await s3.deleteObject({ Bucket: bucket, Key });
    },
    async contents() {
      const keys = (await objects()).map(({ Key }) => `${Key}`);
      return [...keys, ...(await uploads()).map(({ Key }) => `${Key} (upload)`)].sort();
    },
    stop,
    start,
  };
}

/** Where `VERSITYGW` says, where `.ci/run` builds it, in the PATH, or where Go puts what it installs. */
function findServer(): string | null {
  const named = process.env.VERSITYGW;
  if (named) return isProgram(named) ? named : null;
  const folders = [
    join(import.meta.dirname, "..", "..", ".tmp", "bin"),
    ...(process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== ""),
    ...(process.env.GOBIN ? [process.env.GOBIN] : []),
    ...(process.env.GOPATH ?? "")
      .split(delimiter)
      .filter(Boolean)
      .map((folder) => join(folder, "bin")),
    join(homedir(), "go", "bin"),
  ];
  for (const folder of folders) {
    const program = join(folder, "versitygw");
    if (isProgram(program)) return program;
  }
  try {
    const folder = execFileSync("go", ["env", "GOPATH"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    const program = join(folder.trim(), "bin", "versitygw");
    return isProgram(program) ? program : null;
  } catch {
    return null;
  }
}

function watch(pid: number, dir: string): ChildProcess {
  const watcher = spawn("sh", ["-c", WATCH, "sh", String(pid), dir], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  watcher.on("error", () => {});
  watcher.stdin?.on("error", () => {});
  return watcher;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } finally {
    socket.destroy();
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
