// A program that syncs: server, file, direction (default `push`); the token is in SYNC_TOKEN.
import { createPageClient } from "../../../src/pages/create-page-client.js";

const [url = "", file = "", direction = "push"] = process.argv.slice(2);
const client = createPageClient({ url });
const request = {
  file,
  token: process.env.SYNC_TOKEN ?? "",
  onProgress: ({ phase }: { readonly phase: string }) => console.log(phase),
};
await (direction === "push" ? client.push(request) : client.pull(request));
console.log("done");
