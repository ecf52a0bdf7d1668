// Runs a page server, uses it, stops it, and then has nothing left to do.
import { Direction } from "../../../src/pages/admin/gen/edgereplica/admin/v1/admin_pb.js";
import { createPageServer } from "../../../src/pages/create-page-server.js";

const [, , dir = ""] = process.argv;
const server = createPageServer({ dir, sessionKey: Buffer.alloc(32, "0123").toString("base64") });
await server.start();

async function call(rpc: string, body: unknown, session = ""): Promise<Record<string, string>> {
  const answer = await server.app.request(`/edgereplica.admin.v1.AdminService/${rpc}`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${session}` },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(await answer.text());
  return (await answer.json()) as Record<string, string>;
}

const { sessionToken } = await call("Signup", { email: "a@example.com", password: "correct horse battery" });
const { id } = await call("CreateDatabase", { name: "shop" }, sessionToken);
await call("IssueSyncToken", { databaseId: id, direction: Direction.PUSH }, sessionToken);
await server.stop();
console.log("done");
