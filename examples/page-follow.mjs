// Keeps a SQLite file what a database on a page server is, until Ctrl-C.
//
//   npm install starfish-replica better-sqlite3
//   STARFISH_REPLICA_SERVER=http://127.0.0.1:4000 STARFISH_REPLICA_PASSWORD=... node page-follow.mjs ada@example.com shop copy.db
//
// It logs in, finds the database by its name and pulls it every INTERVAL_SECONDS (10). Other programs may have the file open all the time. A file that
// somebody has changed here is left as it is, and the program says so.
import { subscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { ChannelScheduler, SYNC_EVENTS } from "starfish-replica";
import { createPageChannel, createPageClient } from "starfish-replica/pages";

const { STARFISH_REPLICA_SERVER: url, STARFISH_REPLICA_PASSWORD: password, INTERVAL_SECONDS = "10" } = process.env;
const [email, name, file] = process.argv.slice(2);
if (!url || !password || !email || !name || !file || !(Number(INTERVAL_SECONDS) > 0)) {
  console.error(
    "Usage: STARFISH_REPLICA_SERVER=URL STARFISH_REPLICA_PASSWORD=... node page-follow.mjs <email> <database> <file>",
  );
  process.exit(2);
}

let session;
let databaseId;

try {
  await run();
} catch (error) {
  tell(error);
  process.exitCode = 1;
}

async function run() {
  const { databases = [] } = await askLoggedIn("ListDatabases", {});
  databaseId = databases.find((database) => database.name === name)?.id;
  if (databaseId === undefined) {
    const names = databases.map((database) => database.name).join(", ");
    throw new Error(`${email} has no database "${name}"${names === "" ? "" : `, but ${names}`}`);
  }
  const client = createPageClient({ url });
  const channel = createPageChannel({ name, client, file, token, database: databaseId });
  const schedule = { triggers: ["scheduled"], intervalMs: Number(INTERVAL_SECONDS) * 1_000 };
  const scheduler = new ChannelScheduler([{ channel, schedule }], { onError: (_name, error) => tell(error) });
  subscribe(SYNC_EVENTS, ({ outcome, durationMs }) => {
    if (!outcome?.changed) return;
    console.log(`${file}: ${outcome.items} pages, ${outcome.bytes} bytes, ${Math.round(durationMs)} ms`);
  });
  scheduler.start();
  console.log(`${file} follows ${name}; Ctrl-C ends it`);
  await Promise.race(["SIGINT", "SIGTERM"].map((signal) => once(process, signal)));
  await scheduler.stop();
  await client.close();
  console.log("stopped");
}

/** A sync token for the next pull: they end after an hour, so each pull has one of its own. */
async function token() {
  const answer = await askLoggedIn("IssueSyncToken", { databaseId, direction: "DIRECTION_PULL" });
  return answer.token;
}

/** Asks with the session that there is, and logs in where there is none, or none that is good any more. */
async function askLoggedIn(method, message) {
  if (session !== undefined) {
    try {
      return await ask(method, message);
    } catch (error) {
      if (error.code !== "unauthenticated") throw error;
    }
  }
  session = undefined;
  session = (await ask("Login", { email, password })).sessionToken;
  return await ask(method, message);
}

/** A call of the admin service in the protocol Connect, which is a POST with JSON: https://connectrpc.com/docs/protocol */
async function ask(method, message) {
  const response = await fetch(`${url}/edgereplica.admin.v1.AdminService/${method}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(session && { authorization: `Bearer ${session}` }) },
    body: JSON.stringify(message),
    signal: AbortSignal.timeout(30_000),
  }).catch((error) => {
    throw new Error(`${url} gives no answer: ${error.cause?.message ?? error.message}`);
  });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  throw Object.assign(new Error(answer.message ?? `${method} answered ${response.status}`), { code: answer.code });
}

function tell(error) {
  console.error(`${error.code ?? error.name}: ${error.message}${error.hint ? `\n${error.hint}` : ""}`);
}
