import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import { makePageDatabases } from "./page-accounts.mjs";
import { syncPages } from "./page-sync.mjs";
import { startPageServer } from "./start-page-server.mjs";

/**
 * A page server that has these databases, each a copy of `source` that was pushed, and with `follower` a second file that was pulled. Made in the run's own
 * folder by whoever comes first; the server is started anew each time.
 * @param file of this round
 * @param wanted by name: `{ journalMode, follower }`
 * @returns the server, and by name `{ file, follower, tokens }`
 */
export async function openPageWorkplace(file, source, wanted) {
  const folder = join(dirname(dirname(file)), "pages");
  const made = `${folder}.json`;
  const dir = join(folder, "server");
  const isMade = existsSync(made);
  if (!isMade) mkdirSync(dir, { recursive: true });
  const server = await startPageServer(dir);
  if (isMade) return { server, places: JSON.parse(readFileSync(made, "utf8")) };
  const tokens = await makePageDatabases(server.url, Object.keys(wanted));
  const places = {};
  for (const [name, { journalMode, follower }] of Object.entries(wanted)) {
    const place = {
      file: join(folder, `${name}.db`),
      follower: join(folder, `${name}-follower.db`),
      tokens: tokens[name],
    };
    places[name] = place;
    copyFileSync(source, place.file);
    if (journalMode) setJournalMode(place.file, journalMode);
    await syncPages("push", { server, file: place.file, token: place.tokens.push });
    if (follower) await syncPages("pull", { server, file: place.follower, token: place.tokens.pull });
  }
  await server.stop();
  writeFileSync(`${made}.part`, JSON.stringify(places));
  renameSync(`${made}.part`, made);
  return { server: await startPageServer(dir), places };
}

function setJournalMode(path, mode) {
  const database = new Database(path);
  database.pragma(`journal_mode = ${mode}`);
  database.close();
}
