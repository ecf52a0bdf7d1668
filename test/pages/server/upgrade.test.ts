import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { atEnd } from "../../support/at-end.js";
import { realDelay } from "../../support/real-time.js";
import { tempDir } from "../../support/temp-dir.js";
import { deferred, waitFor } from "../../support/wait.js";
import { connectRawPeer } from "./raw-peer.js";
import { type SyncServer, startSyncServer } from "./sync-server.js";

const HANDSHAKE = {
  Host: "127.0.0.1",
  Connection: "Upgrade",
  Upgrade: "websocket",
  "Sec-WebSocket-Version": "13",
  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
};

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** Sends a request as it is, and everything after it too, and reads until the other end closes. */
async function request(
  server: SyncServer,
  headers: Readonly<Record<string, string | undefined>>,
  { path = "/sync", method = "GET", after = "" } = {},
): Promise<Answer> {
  const socket = connect(server.port, "127.0.0.1");
  atEnd(() => socket.destroy());
  const lines = Object.entries({ ...HANDSHAKE, ...headers }).filter(([, value]) => value !== undefined);
  socket.write(
    `${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${after}`,
  );
  let text = "";
  socket.setEncoding("utf8").on("data", (piece: string) => {
    text += piece;
  });
  await once(socket, "close");
  const [head = "", body = ""] = text.split("\r\n\r\n");
  const [first = "", ...rest] = head.split("\r\n");
  return {
    status: Number(first.split(" ")[1]),
    headers: Object.fromEntries(rest.map((line) => line.toLowerCase().split(": ") as [string, string])),
    body: body.startsWith("{") ? JSON.parse(body) : body,
  };
}

function bearer(token: string): { Authorization: string } {
  return { Authorization: `Bearer ${token}` };
}

const INVALID = { error: expect.any(String), code: "INVALID_TOKEN" };

describe("an upgrade to a sync", () => {
  it("answers 401 with a challenge where there is no token, or another kind of authorisation", async () => {
    const server = await startSyncServer({ dir: tempDir() });
    for (const headers of [{}, { Authorization: "Basic YTpi" }, { Authorization: "Bearer" }, { Authorization: "" }]) {
      const answer = await request(server, headers);
      expect(answer).toMatchObject({ status: 401, body: INVALID });
      expect(answer.headers["www-authenticate"]).toBe('bearer realm="starfish-replica"');
      expect(answer.headers["content-type"]).toBe("application/json; charset=utf-8");
    }
  });

  it("answers 401 to a token that is no token, expired, of a session, of another key, or of a user that is gone", async () => {
    const server = await startSyncServer({ dir: tempDir() });
    const other = await startSyncServer({ dir: tempDir() });
    const claims = { purpose: "sync", userId: "u-1", orgId: "o-1", databaseId: "d-1", direction: "pull" } as const;
    const tokens = [
      "nonsense",
      "a".repeat(8_000),
      server.tokens.mint(claims, Math.floor(Date.now() / 1_000) - 1),
      server.tokens.mint(
        { purpose: "session", userId: "u-1", orgId: "o-1", email: "a@example.com", role: "admin" },
        Math.floor(Date.now() / 1_000) + 60,
      ),
      other.token("pull"),
      server.token("pull", { userId: "u-gone" }),
    ];
    for (const token of tokens) {
      const answer = await request(server, bearer(token));
      expect(answer, token.slice(0, 20)).toMatchObject({ status: 401, body: INVALID });
      expect(answer.headers["www-authenticate"]).toContain('error="invalid_token"');
      expect(JSON.stringify(answer)).not.toContain(token);
    }
    expect(server.errors).toEqual([]);
    expect(server.endpoint.active).toBe(0);
  });

  it("answers 404 to a database that is deleted or somebody else's, and to any other path", async () => {
    const server = await startSyncServer({ dir: tempDir() });
    const unknown = [{ databaseId: "d-gone" }, { orgId: "o-2" }];
    for (const claims of unknown) {
      const answer = await request(server, bearer(server.token("push", claims)));
      expect(answer).toMatchObject({ status: 404, body: { code: "UNKNOWN_DATABASE" } });
    }
    for (const path of ["/", "/sync/", "/Sync", "/sync2?/sync", "*", "http://elsewhere/x"]) {
      expect(await request(server, bearer(server.token("push")), { path })).toMatchObject({ status: 404 });
    }
    expect(server.endpoint.active).toBe(0);
  });

  it("answers 426 to an upgrade to something else, and 400 to a handshake that RFC 6455 does not know", async () => {
    const server = await startSyncServer({ dir: tempDir() });
    const good = bearer(server.token("pull"));
    const h2c = await request(server, { ...good, Upgrade: "h2c" });
    expect(h2c).toMatchObject({ status: 426, headers: { upgrade: "websocket" } });
    for (const wrong of [{ "Sec-WebSocket-Key": "short" }, { "Sec-WebSocket-Version": "7" }]) {
      const answer = await request(server, { ...good, ...wrong });
      expect(answer).toMatchObject({ status: 400, headers: { "sec-websocket-version": "13" } });
    }
    expect(await request(server, good, { method: "POST" })).toMatchObject({ status: 400 });
    expect(server.endpoint.active).toBe(0);
  });

  it("is read to its end by a peer that has sent much more already", async () => {
    const server = await startSyncServer({ dir: tempDir() });
    const answer = await request(server, bearer("nonsense"), { after: "x".repeat(3 * 1024 * 1024) });
    expect(answer).toMatchObject({ status: 401, body: INVALID });
  });

  it("answers 503 with Retry-After when as many syncs as may be are under way, and takes the next when one has ended", async () => {
    const server = await startSyncServer({ dir: tempDir(), parts: { maxSyncs: 2 } });
    const first = await connectRawPeer(server.url, server.token("pull"));
    await connectRawPeer(server.url, server.token("pull"));
    expect(server.endpoint.active).toBe(2);
    const answer = await request(server, bearer(server.token("pull")));
    expect(answer).toMatchObject({ status: 503, headers: { "retry-after": "2" }, body: { code: "SYNC_REFUSED" } });
    expect(await request(server, bearer("nonsense"))).toMatchObject({ status: 401 });
    first.socket.terminate();
    await waitFor(() => server.endpoint.active === 1);
    await connectRawPeer(server.url, server.token("pull"));
  });

  it("counts those whose token is being looked up, and refuses them when the database is deleted or the server closed meanwhile", async () => {
    for (const end of ["delete", "close"] as const) {
      const asked = deferred();
      const answered = deferred();
      const server = await startSyncServer({
        dir: tempDir(),
        parts: {
          accounts: {
            account: async (userId) => ({ userId, email: "a@example.com", orgId: "o-1", role: "admin" }),
            database: async (orgId, id) => {
              asked.resolve();
              await answered.promise;
              return { id, orgId, name: id, createdAt: 0 };
            },
          },
        },
      });
      const answer = request(server, bearer(server.token("pull")));
      await asked.promise;
      expect(server.endpoint.active).toBe(1);
      const ended = end === "delete" ? server.endpoint.endDatabase("d-1") : server.endpoint.close(1_000);
      answered.resolve();
      await ended;
      expect(await answer).toMatchObject({ status: end === "delete" ? 404 : 503 });
      expect(server.endpoint.active).toBe(0);
    }
  });

  it("answers 500 without the reason where the accounts fail, and tells the operator", async () => {
    const server = await startSyncServer({
      dir: tempDir(),
      parts: {
        accounts: {
          account: async () => {
            throw new Error("EIO /var/lib/secret-place");
          },
          database: () => Promise.reject(new Error("not asked")),
        },
      },
    });
    const answer = await request(server, bearer(server.token("pull")));
    expect(answer.status).toBe(500);
    expect(JSON.stringify(answer)).not.toContain("secret-place");
    expect(server.errors).toEqual([expect.objectContaining({ message: "EIO /var/lib/secret-place" })]);
  });

  it("is answered 503 after close()", async () => {
    const server = await startSyncServer({ dir: tempDir() });
    await server.endpoint.close(1_000);
    expect(await request(server, bearer(server.token("pull")))).toMatchObject({
      status: 503,
      body: { code: "STOPPED" },
    });
  });

  it("survives peers that reset the connection at any moment", async () => {
    const server = await startSyncServer({ dir: tempDir() });
    const token = server.token("pull");
    for (let round = 0; round < 60; round += 1) {
      const socket = connect(server.port, "127.0.0.1");
      socket.on("error", () => {});
      await once(socket, "connect");
      const lines = Object.entries({ ...HANDSHAKE, ...bearer(round % 3 === 0 ? "nonsense" : token) });
      const text = `GET /sync HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
      socket.write(round % 2 === 0 ? text : text.slice(0, Math.floor((text.length * round) / 60)));
      if (round % 4 > 0) await realDelay(round % 4);
      socket.resetAndDestroy();
    }
    await waitFor(() => server.endpoint.active === 0);
    expect(server.errors).toEqual([]);
    expect(await request(server, bearer("nonsense"))).toMatchObject({ status: 401 });
  });
});
