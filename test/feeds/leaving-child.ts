import { setTimeout as sleep } from "node:timers/promises";
import { createSseFeed } from "../../src/feeds/sse-feed.js";

/** A program that listens for a while: `url how`. Leaves, says `done`, and must then end by itself. */
const [url = "", how = ""] = process.argv.slice(2);
const end = new AbortController();
const subscription = createSseFeed({ url }).subscribe({ change() {}, gap() {} }, end.signal);
// Long enough to be in the middle of it; the test holds whether it is or not.
await sleep(200);
if (how === "abort") end.abort();
else await subscription[Symbol.asyncDispose]();
process.stdout.write("done\n");
