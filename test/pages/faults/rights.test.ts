import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { createTokens } from "../../../src/pages/tokens/create-tokens.js";
import type { SessionClaims, SyncClaims } from "../../../src/pages/tokens/token-claims.js";
import { tempDir } from "../../support/temp-dir.js";
import { makeFile, rowsOf, syncHere } from "../client/client-fixture.js";
import * as plain from "../plain/plain-client.js";
import { KEY, type PageHost, type PageUser, startPageHost } from "../server-facade/page-host.js";

const PREFIX = "/edgereplica.admin.v1.AdminService/";

interface Refusal {
  readonly status: number;
  readonly code: unknown;
  readonly message: string;
}

let host: PageHost;
let ann: PageUser;
let bob: PageUser;
let shop: string;
let bobs: string;
let file: string;
let stored: Buffer;
let annClaims: SyncClaims;

const tokens = createTokens([Uint8Array.from(Buffer.from(KEY, "base64"))]);
const nowSeconds = () => Math.floor(Date.now() / 1_000);
const soon = () => nowSeconds() + 60;

beforeAll(async () => {
  host = await startPageHost();
  [ann, bob] = [await host.user("ann@example.com"), await host.user("bob@example.com")];
  shop = (await ann.admin.createDatabase({ name: "shop" })).id;
  bobs = (await bob.admin.createDatabase({ name: "bobs" })).id;
  file = makeFile(join(tempDir(), "shop.db"), { rows: 50 });
  const token = await ann.token(shop, "push");
  annClaims = tokens.verify(token, "sync") as SyncClaims;
  await syncHere("push", file, { origin: host.origin, token });
  stored = await storedBytes();
});

async function storedBytes(id = shop): Promise<Buffer> {
  return readFileSync((await host.server.databaseFile(id)) ?? "");
}

/** Nothing has changed on the server: the bytes, the generation, the databases of either. */
async function expectUntouched(): Promise<void> {
  expect((await storedBytes()).equals(stored)).toBe(true);
  expect((await host.server.databaseFile(shop)) ?? "").toMatch(/\b1\.db$/);
  expect((await ann.admin.listDatabases({})).databases.map(({ id }) => id)).toEqual([shop]);
  expect((await bob.admin.listDatabases({})).databases.map(({ id }) => id)).toEqual([bobs]);
  expect(host.errors).toEqual([]);
}

async function rpc(name: string, body: object, session: string | null): Promise<Refusal> {
  const response = await fetch(`${host.origin}${PREFIX}${name}`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(session !== null && { authorization: `Bearer ${session}` }),
    },
    body: JSON.stringify(body),
  });
  const { code, message = "" } = (await response.json()) as { code?: string; message?: string };
  return { status: response.status, code, message };
}

/** Every rpc that a session is needed for, about this database. */
function calls(databaseId: string): readonly (readonly [string, object])[] {
  return [
    ["Whoami", {}],
    ["ListDatabases", {}],
    ["CreateDatabase", { name: "another" }],
    ["DeleteDatabase", { databaseId }],
    ["IssueSyncToken", { databaseId, direction: "DIRECTION_PUSH" }],
    ["IssueSyncToken", { databaseId, direction: "DIRECTION_PULL" }],
  ];
}

/** What every way of a sync with this token ends with: ours and an original client, with and without a local file, forced and not. */
async function syncs(token: string): Promise<unknown[]> {
  const { origin } = host;
  const url = `${origin.replace("http", "ws")}/sync`;
  const full = makeFile(join(tempDir(), "full.db"), { rows: 3 });
  const bytes = readFileSync(full);
  const ways = [
    ...[false, true].flatMap((force) => [
      () => syncHere("push", full, { origin, token, force }),
      () => syncHere("pull", join(tempDir(), "fresh.db"), { origin, token, force }),
      () => syncHere("pull", full, { origin, token, force }),
    ]),
    () => plain.push(url, token, bytes),
    () => plain.pull(url, token),
    () => plain.pull(url, token, bytes),
  ];
  const ends: unknown[] = [];
  for (const way of ways) ends.push(await way().catch((error: unknown) => error));
  expect(rowsOf(full)).toHaveLength(3);
  return ends;
}

describe("a session", () => {
  const session: SessionClaims = { purpose: "session", userId: "", orgId: "", email: "ann@example.com", role: "admin" };

  it("is needed by every call, and is neither expired, a sync token, another server's nor a user's that is gone", async () => {
    const { userId, orgId } = annClaims;
    const mine = { ...session, userId, orgId };
    // It is the refusal that is tested, not a broken token.
    expect(await rpc("Whoami", {}, tokens.mint(mine, soon()))).toMatchObject({ status: 200 });
    const refused = {
      none: null,
      nonsense: "nonsense",
      expired: tokens.mint(mine, nowSeconds() - 1),
      "a sync token": await ann.token(shop, "push"),
      "another server's": createTokens([new Uint8Array(32)]).mint(mine, soon()),
      "of nobody": tokens.mint({ ...mine, userId: "f".repeat(32) }, soon()),
    };
    for (const [what, token] of Object.entries(refused)) {
      for (const [name, body] of calls(shop)) {
        const answer = await rpc(name, body, token);
        expect(answer, `${name} with ${what}`).toMatchObject({ status: 401, code: "unauthenticated" });
        if (token !== null) expect(answer.message).not.toContain(token);
      }
    }
    await expectUntouched();
  });

  it("finds no database of another user's, in the same words as one that never was", async () => {
    const { userId, orgId } = tokens.verify(await bob.token(bobs, "pull"), "sync") as SyncClaims;
    const bobsSession = tokens.mint({ ...session, userId, orgId, email: "bob@example.com" }, soon());
    for (const [name, body] of calls(shop).filter(([, body]) => "databaseId" in body)) {
      const [theirs, never] = [
        await rpc(name, body, bobsSession),
        await rpc(name, { ...body, databaseId: "0".repeat(32) }, bobsSession),
      ];
      expect(theirs, name).toMatchObject({ status: 404, code: "not_found" });
      expect(theirs).toEqual(never);
    }
    await expectUntouched();
  });
});

describe("a sync token", () => {
  it("that is expired, a session, another server's, or of a user that is gone lets nobody in", async () => {
    const { userId, orgId } = annClaims;
    for (const direction of ["push", "pull"] as const) {
      const claims = { ...annClaims, direction };
      for (const token of [
        tokens.mint(claims, nowSeconds() - 1),
        tokens.mint({ purpose: "session", userId, orgId, email: "ann@example.com", role: "admin" }, soon()),
        createTokens([new Uint8Array(32)]).mint(claims, soon()),
        tokens.mint({ ...claims, userId: "f".repeat(32) }, soon()),
      ]) {
        const [end, ...others] = await syncs(token);
        expect(end).toMatchObject({ code: "INVALID_TOKEN" });
        for (const other of others) expect(String(other)).toMatch(/401|INVALID_TOKEN|token/i);
        expect(JSON.stringify([end, ...others].map(String))).not.toContain(token);
      }
    }
    await expectUntouched();
  });

  it("for another user's database, or one that is deleted, leads to none", async () => {
    const { userId, orgId } = tokens.verify(await bob.token(bobs, "pull"), "sync") as SyncClaims;
    const { id } = await bob.admin.createDatabase({ name: "gone" });
    const old = { push: await bob.token(id, "push"), pull: await bob.token(id, "pull") };
    await bob.admin.deleteDatabase({ databaseId: id });
    for (const direction of ["push", "pull"] as const) {
      // Nobody can get such a one from the server; only its key could make it.
      const theirs = tokens.mint({ ...annClaims, userId, orgId, direction }, soon());
      for (const token of [theirs, old[direction]]) {
        const [end, ...others] = await syncs(token);
        expect(end).toMatchObject({ code: "UNKNOWN_DATABASE" });
        for (const other of others) expect(String(other)).toMatch(/404|no database/i);
      }
    }
    expect(await host.server.databaseFile(id)).toBeNull();
    await expectUntouched();
  });

  it("reaches its own database alone, whatever the file says that it comes from", async () => {
    const [mine, other] = [makeFile(join(tempDir(), "a.db"), { rows: 9 }), join(tempDir(), "b.db")];
    const { origin } = host;
    await syncHere("pull", other, { origin, token: await ann.token(shop, "pull") });
    // A file that comes from Ann's database goes to Bob's where his token says so, and Ann's does not hear of it.
    expect(await syncHere("push", other, { origin, token: await bob.token(bobs, "push") })).toMatchObject({
      database: bobs,
      generation: 1,
    });
    expect(await syncHere("push", mine, { origin, token: await bob.token(bobs, "push"), force: true })).toMatchObject({
      database: bobs,
      generation: 2,
    });
    await expectUntouched();
  });

  it("for a pull pushes nothing, whoever asks, forced or not, from whatever file", async () => {
    const { origin } = host;
    const url = `${origin.replace("http", "ws")}/sync`;
    const token = await ann.token(shop, "pull");
    const folder = tempDir();
    const files = {
      different: makeFile(join(folder, "different.db"), { rows: 7 }),
      same: join(folder, "same.db"),
      smaller: makeFile(join(folder, "smaller.db"), { rows: 1 }),
      larger: makeFile(join(folder, "larger.db"), { rows: 500 }),
    };
    writeFileSync(files.same, stored);
    for (const [what, one] of Object.entries(files)) {
      const before = readFileSync(one);
      for (const force of [false, true]) {
        const error = await syncHere("push", one, { origin, token, force }).catch((thrown: unknown) => thrown);
        expect(error, `${what}, force ${force}`).toMatchObject({
          code: expect.stringMatching(/INVALID_TOKEN|PAGE_PROTOCOL/),
        });
        expect(String(error), what).toMatch(/for a pull/);
      }
      // An original client says nowhere what it wants: it is sent pages that it did not ask for, which is as a pull, or is refused.
      await plain
        .push(url, token, before)
        .catch((thrown: unknown) => expect(String(thrown)).toMatch(/unexpected page_data/));
      expect(readFileSync(one).equals(before)).toBe(true);
    }
    await expectUntouched();
  });

  it("for a push pulls nothing and empties nothing, whoever asks, forced or not, into whatever file", async () => {
    const { origin } = host;
    const url = `${origin.replace("http", "ws")}/sync`;
    const token = await ann.token(shop, "push");
    const folder = tempDir();
    const files = {
      missing: join(folder, "missing.db"),
      empty: join(folder, "empty.db"),
      different: makeFile(join(folder, "different.db"), { rows: 7 }),
      same: join(folder, "same.db"),
    };
    writeFileSync(files.empty, "");
    writeFileSync(files.same, stored);
    for (const [what, one] of Object.entries(files)) {
      const before = what === "missing" ? null : readFileSync(one);
      for (const force of [false, true]) {
        const error = await syncHere("pull", one, { origin, token, force }).catch((thrown: unknown) => thrown);
        expect(error, `${what}, force ${force}`).toMatchObject({
          code: expect.stringMatching(/INVALID_TOKEN|PAGE_PROTOCOL/),
        });
        expect(String(error), what).toMatch(/for a push/);
        await expectUntouched();
      }
      if (before !== null) expect(readFileSync(one).equals(before), what).toBe(true);
    }
    // An original client that has nothing yet: all that it sends is that it has no pages, which as a push would empty the database.
    await expect(plain.pull(url, token)).rejects.toThrow(/push of no pages/);
    await expectUntouched();
  });
});
