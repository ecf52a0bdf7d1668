// A program that syncs: server, file, direction (default `push`); the token is in SYNC_TOKEN, and in SYNC_UID the user that it becomes first.
import { createPageClient } from "../../../src/pages/create-page-client.js";

const [url = "", file = "", direction = "push"] = process.argv.slice(2);
if (process.env.SYNC_UID !== undefined) process.setuid?.(Number(process.env.SYNC_UID));
const client = createPageClient({ url });
const request = {
  file,
  token: process.env.SYNC_TOKEN ?? "",
  onProgress: ({ phase }: { readonly phase: string }) => console.log(phase),
};
const { notices } = await (direction === "push" ? client.push(request) : client.pull(request));
for (const notice of notices) console.log(`notice: ${notice}`);
console.log("done");
