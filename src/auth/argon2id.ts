import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";
import { ReplicaError } from "../errors.js";

/** Cost of Starfish's root derivation, fixed by the protocol: another number is another identity. */
const COST = { memorySize: 47_104, iterations: 3, parallelism: 1, hashLength: 32 } as const;

const SALT = "starfish-v3-root";

// CommonJS, as `eval` code of a worker is. The password comes as bytes, so no error of hash-wasm could quote it.
const WORKER_CODE = `
const { parentPort, workerData } = require("node:worker_threads");
const { modulePath, password, salt, cost } = workerData;
const wipe = () => password.fill(0);
Promise.resolve()
  .then(() => require(modulePath).argon2id({ ...cost, password, salt, outputType: "binary" }))
  .then((hash) => { wipe(); parentPort.postMessage({ hash }); },
        (error) => { wipe(); parentPort.postMessage({ failure: String(error && error.message) }); });
`;

type Answer = { readonly hash: Uint8Array } | { readonly failure: string };

function failed(reason: string): ReplicaError {
  return new ReplicaError("INVALID_CREDENTIALS", `The identity could not be derived from the passphrase: ${reason}`, {
    hint: "It takes the installed package hash-wasm, worker threads and 46 MiB of memory.",
  });
}

function hashWasmPath(): string {
  return createRequire(import.meta.url).resolve("hash-wasm");
}

/**
 * The 32 bytes of Argon2id under Starfish's salt and cost, computed in a worker thread: tenths of a second in which the
 * event loop stays free. The thread has ended when this settles. `password` is wiped. `modulePath` is the file of
 * `hash-wasm`, the installed one unless given. Throws `INVALID_CREDENTIALS` when the thread fails.
 */
export async function argon2id(password: Uint8Array, modulePath?: string): Promise<Uint8Array> {
  let worker: Worker;
  try {
    const workerData = { modulePath: modulePath ?? hashWasmPath(), password, salt: Buffer.from(SALT), cost: COST };
    // The process's own flags and environment stay out: a loader or --input-type meant for the program would break the
    // code here.
    worker = new Worker(WORKER_CODE, { eval: true, workerData, execArgv: [], env: {} });
  } catch (error) {
    throw failed(error instanceof Error ? error.message : String(error));
  } finally {
    password.fill(0);
  }
  return new Promise<Uint8Array>((resolve, reject) => {
    let answer: Answer = { failure: "the worker thread ended without an answer" };
    worker.on("message", (message: Answer) => {
      answer = message;
    });
    worker.on("error", (error) => {
      answer = { failure: error.message };
    });
    worker.on("exit", () => {
      if ("hash" in answer) resolve(answer.hash);
      else reject(failed(answer.failure));
    });
  });
}
