// A page server: accounts, and the SQLite files that their users push and pull page by page.
//
//   npm install starfish-replica better-sqlite3 hono @hono/node-server
//   export SESSION_KEY=$(openssl rand -base64 32)      keep it: it signs all tokens
//   node page-server.mjs data 4000
//
// Then, anywhere: npx starfish-replica signup ada@example.com --server http://127.0.0.1:4000
//
// Other settings, each of which may be left out:
//   HOST                127.0.0.1; 0.0.0.0 where a proxy on another machine speaks TLS in front of it
//   BEHIND_PROXY        yes: attempts to log in are counted by X-Real-IP, which your proxy must set
//   ALLOW_SIGNUP        no: nobody makes an account
//   OAUTH_REDIRECT_BASE, GITHUB_CLIENT_ID, GITHUB_CLIENT_SECRET, GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET
//   SESSION_TTL_SECONDS, SYNC_TOKEN_TTL_SECONDS, MAX_SYNC_TOKEN_TTL_SECONDS, OAUTH_STATE_TTL_SECONDS
// docs/pages.md explains them, and what else createPageServer takes.
import { subscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { serve } from "@hono/node-server";
import { createPageServer, PAGE_EVENTS, readPageServerEnvironment } from "starfish-replica/pages";

const { env } = process;
const [dir, port = "4000", ...rest] = process.argv.slice(2);
if (!dir || !/^\d{1,5}$/.test(port) || rest.length > 0) {
  console.error("Usage: SESSION_KEY=... node page-server.mjs <folder> [port]");
  process.exit(2);
}

try {
  await run();
} catch (error) {
  tell(error);
  process.exitCode = 1;
}

async function run() {
  const pages = createPageServer({
    ...readPageServerEnvironment(env),
    dir,
    allowSignup: env.ALLOW_SIGNUP !== "no",
    ...(env.BEHIND_PROXY === "yes" && { clientAddress: (request) => request.headers.get("x-real-ip") ?? "unknown" }),
    onError: tell,
  });
  subscribe(PAGE_EVENTS, log);
  await pages.start();
  const server = serve({ fetch: pages.app.fetch, hostname: env.HOST ?? "127.0.0.1", port: Number(port) });
  server.on("upgrade", pages.upgrade);
  try {
    // Rejects where the port is taken.
    await once(server, "listening");
    console.log(`listening on ${server.address().address}:${server.address().port}; Ctrl-C ends it`);
    await Promise.race(["SIGINT", "SIGTERM"].map((signal) => once(process, signal)));
  } finally {
    // Syncs under way are told to come again; a commit that has begun finishes.
    await pages.stop();
    server.close();
  }
  console.log("stopped");
}

function log({ event, sync, direction, databaseId, outcome, generation, pages, bytes, durationMs }) {
  if (event === "begin") return;
  const stored = generation === null ? "" : `, generation ${generation}`;
  const moved = `${pages} pages, ${bytes} bytes, ${Math.round(durationMs)} ms`;
  console.log(`${sync}: ${direction} of ${databaseId}: ${outcome}${stored} (${moved})`);
}

function tell(error) {
  console.error(`${error.code ?? error.name}: ${error.message}${error.hint ? `\n${error.hint}` : ""}`);
}
