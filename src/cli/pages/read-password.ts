import { createInterface } from "node:readline/promises";
import { addAbortSignal, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { Interrupted } from "../interruptible.js";
import { UsageError } from "../usage-error.js";

/** Environment variable that stands for typing the password. */
const PASSWORD_VARIABLE = "STARFISH_REPLICA_PASSWORD";

/** Where a password comes from. */
export interface PasswordSource {
  readonly stdin: NodeJS.ReadStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * The password: what the environment says, what is typed without being shown, or what is piped in.
 * @param twice a new one, which nobody would notice a typing error in
 * @throws UsageError where there is none, or the two differ; Interrupted
 */
export async function readPassword(source: PasswordSource, twice: boolean, signal: AbortSignal): Promise<string> {
  const { stdin, env } = source;
  const given = env[PASSWORD_VARIABLE];
  if (given !== undefined && given !== "") return given;
  if (stdin.isTTY !== true) return await readPiped(stdin, signal);
  const password = await ask("Password: ", source, signal);
  if (password === "") throw new UsageError("the password is empty");
  if (twice && (await ask("Once more: ", source, signal)) !== password) {
    throw new UsageError("the two passwords differ");
  }
  return password;
}

/** All of it, but for the end of its line. */
async function readPiped(stdin: NodeJS.ReadStream, signal: AbortSignal): Promise<string> {
  const password = (await text(addAbortSignal(signal, stdin))).replace(/\r?\n$/, "");
  if (password !== "") return password;
  throw new UsageError(
    `which password? Set ${PASSWORD_VARIABLE}, pipe it in, or run this on a terminal, where it is asked for`,
  );
}

async function ask(prompt: string, { stdin, stderr }: PasswordSource, signal: AbortSignal): Promise<string> {
  // It edits the line as ever, and shows it to nobody.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const line = createInterface({ input: stdin, output: nowhere, terminal: true, historySize: 0 });
  stderr.write(prompt);
  try {
    return await new Promise((resolve, reject) => {
      line.once("SIGINT", () => reject(new Interrupted()));
      line.once("close", () => reject(new Interrupted()));
      line.question("", { signal }).then(resolve, reject);
    });
  } finally {
    line.close();
    stderr.write("\n");
  }
}
