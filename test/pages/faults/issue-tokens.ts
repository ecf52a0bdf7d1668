import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { AdminService, Direction } from "../../../src/pages/admin/gen/edgereplica/admin/v1/admin_pb.js";

/** A database of a new user's at a page server, and tokens for it. */
export async function issueTokens(origin: string): Promise<{ databaseId: string; push: string; pull: string }> {
  const connect = (session = "") =>
    createClient(
      AdminService,
      createConnectTransport({
        baseUrl: origin,
        httpVersion: "1.1",
        interceptors: [
          (next) => (request) => {
            if (session !== "") request.header.set("Authorization", `Bearer ${session}`);
            return next(request);
          },
        ],
      }),
    );
  const email = "ann@example.com";
  const { sessionToken } = await connect().signup({ email, password: "correct horse battery" });
  const admin = connect(sessionToken);
  const { id: databaseId } = await admin.createDatabase({ name: "shop" });
  const token = async (direction: Direction) =>
    (await admin.issueSyncToken({ databaseId, direction, ttlSeconds: 36_000n })).token;
  return { databaseId, push: await token(Direction.PUSH), pull: await token(Direction.PULL) };
}
