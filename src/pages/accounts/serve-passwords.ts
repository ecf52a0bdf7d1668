import { type MessagePort, parentPort } from "node:worker_threads";
import { type ServedMethod, serveCalls } from "../../threads/serve-calls.js";
import type { PasswordCost } from "./password-hash.js";

/** Answers `derive`. Only inside a worker. */
export function servePasswords(): void {
  const port = parentPort as MessagePort;
  const methods = new Map<string, ServedMethod>([["derive", derive]]);
  port.on(
    "message",
    serveCalls(methods, (message) => port.postMessage(message)),
  );
}

async function derive(password: Uint8Array, salt: Uint8Array, cost: PasswordCost): Promise<Uint8Array> {
  // Loaded here, since the program's other part has no use for it.
  const { argon2id } = await import("hash-wasm");
  try {
    return await argon2id({
      password,
      salt,
      memorySize: cost.memoryKiB,
      iterations: cost.iterations,
      parallelism: 1,
      hashLength: 32,
      outputType: "binary",
    });
  } finally {
    password.fill(0);
  }
}
