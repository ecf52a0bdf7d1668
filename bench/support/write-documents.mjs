import { fork } from "node:child_process";
import { once } from "node:events";

/**
 * A client in a process of its own writes to the first `collections` collections of the server at `port`, in turns: `writes` in all, one
 * every `everyMs` (0: as fast as the answers come), over `connections` sockets.
 * @returns `{ writes: [{ name, revision, at }], startedAt, conflicts }`; `at` is when the answer 200 was there
 */
export async function writeDocuments(job) {
  const client = fork(new URL("./write-client.mjs", import.meta.url), [JSON.stringify(job)], { execArgv: [] });
  const [{ result, failure }] = await once(client, "message");
  if (failure) throw new Error(failure);
  return result;
}
