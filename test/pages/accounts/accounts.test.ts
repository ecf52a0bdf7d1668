import { describe, expect, it } from "vitest";
import { openAccounts, PASSWORD } from "./open-accounts.js";

const ID = /^[0-9a-f]{32}$/;

describe("Accounts", () => {
  const accounts = openAccounts();

  it("makes a user with an organisation of their own, who can log in and be found", async () => {
    const ann = await accounts.signup(" Ann1@Example.COM ", PASSWORD);
    expect(ann).toEqual({
      userId: expect.stringMatching(ID),
      email: "ann1@example.com",
      orgId: expect.stringMatching(ID),
      role: "admin",
    });
    const bob = await accounts.signup("bob1@example.com", PASSWORD);
    expect(new Set([ann.userId, ann.orgId, bob.userId, bob.orgId]).size).toBe(4);
    expect(await accounts.login("ANN1@example.com", PASSWORD)).toEqual(ann);
    expect(await accounts.account(ann.userId)).toEqual(ann);
    expect(await accounts.account("0".repeat(32))).toBeNull();
    expect(await accounts.account("")).toBeNull();
  });

  it("has one account for an email, in whichever form it is written, also when two sign up at once", async () => {
    const both = await Promise.allSettled([
      accounts.signup("ann2@münchen.example", PASSWORD),
      accounts.signup("ANN2@xn--mnchen-3ya.example", PASSWORD),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(both.find(({ status }) => status === "rejected")).toMatchObject({ reason: { code: "NAME_TAKEN" } });
    await expect(accounts.signup("ann2@MÜNCHEN.example ", "another password")).rejects.toMatchObject({
      code: "NAME_TAKEN",
    });
    await expect(accounts.login("ann2@münchen.example", "another password")).rejects.toMatchObject({
      code: "UNAUTHENTICATED",
    });
  });

  it("answers a wrong password and an unknown email in the same words", async () => {
    await accounts.signup("ann3@example.com", PASSWORD);
    const answers = await Promise.all(
      [
        ["ann3@example.com", "correct horse "],
        ["ann3@example.com", ""],
        ["ann3@example.com", "x".repeat(5_000)],
        ["bob3@example.com", PASSWORD],
        ["no email", PASSWORD],
        ["", ""],
      ].map(([email = "", password = ""]) => accounts.login(email, password).catch((error) => error)),
    );
    for (const { code, message, hint } of answers) {
      expect({ code, message, hint }).toEqual({
        code: "UNAUTHENTICATED",
        message: "The email or the password is wrong",
        hint: expect.any(String),
      });
    }
  });

  it("keeps a password in one form of Unicode, and tells apart what differs in a letter's size", async () => {
    const ann = await accounts.signup("ann4@example.com", "Z\u00fcrich-2024");
    expect(await accounts.login("ann4@example.com", "Zu\u0308rich-2024")).toEqual(ann);
    await expect(accounts.login("ann4@example.com", "z\u00fcrich-2024")).rejects.toMatchObject({
      code: "UNAUTHENTICATED",
    });
  });

  it("keeps the databases of organisations apart", async () => {
    const [ann, bob] = await Promise.all(
      ["ann", "bob"].map((name) => accounts.signup(`${name}5@example.com`, PASSWORD)),
    );
    const annsOrg = `${ann?.orgId}`;
    const bobsOrg = `${bob?.orgId}`;
    const before = Math.floor(Date.now() / 1_000);
    const shop = await accounts.createDatabase(annsOrg, "shop");
    expect(shop).toEqual({
      id: expect.stringMatching(ID),
      orgId: annsOrg,
      name: "shop",
      createdAt: expect.any(Number),
    });
    expect(shop.createdAt).toBeGreaterThanOrEqual(before);
    expect(shop.createdAt).toBeLessThanOrEqual(Date.now() / 1_000);
    // The same name is free elsewhere, and in capitals.
    const bobs = await accounts.createDatabase(bobsOrg, "shop");
    const second = await accounts.createDatabase(annsOrg, "Shop");
    await expect(accounts.createDatabase(annsOrg, "shop")).rejects.toMatchObject({ code: "NAME_TAKEN" });
    expect(await accounts.listDatabases(annsOrg)).toEqual([second, shop]);
    expect(await accounts.listDatabases(bobsOrg)).toEqual([bobs]);
    expect(await accounts.database(annsOrg, shop.id)).toEqual(shop);

    const unknown = { code: "UNKNOWN_DATABASE", message: "Your organisation has no database with this id" };
    await expect(accounts.database(bobsOrg, shop.id)).rejects.toMatchObject(unknown);
    await expect(accounts.deleteDatabase(bobsOrg, shop.id)).rejects.toMatchObject(unknown);
    await expect(accounts.database(annsOrg, "../etc")).rejects.toMatchObject(unknown);
    expect(await accounts.databaseIds()).toEqual(expect.arrayContaining([shop.id, second.id, bobs.id]));

    await accounts.deleteDatabase(annsOrg, shop.id);
    await expect(accounts.database(annsOrg, shop.id)).rejects.toMatchObject(unknown);
    await expect(accounts.deleteDatabase(annsOrg, shop.id)).rejects.toMatchObject(unknown);
    expect(await accounts.databaseIds()).not.toContain(shop.id);
    expect((await accounts.createDatabase(annsOrg, "shop")).id).not.toBe(shop.id);
  });

  it("lets an organisation have as many databases as it may, and refuses one that does not exist", async () => {
    const bounded = openAccounts({ maxDatabases: 3 });
    const [ann, bob] = await Promise.all(
      ["ann", "bob"].map((name) => bounded.signup(`${name}6@example.com`, PASSWORD)),
    );
    const made = await Promise.allSettled(
      ["a", "b", "c", "d", "e"].map((name) => bounded.createDatabase(`${ann?.orgId}`, name)),
    );
    expect(made.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
    await expect(bounded.createDatabase(`${ann?.orgId}`, "f")).rejects.toMatchObject({
      code: "QUOTA_EXCEEDED",
      message: expect.stringContaining("3 databases"),
    });
    await bounded.createDatabase(`${bob?.orgId}`, "f");
    await expect(bounded.createDatabase("nobody", "f")).rejects.toMatchObject({ code: "INVALID_ACCOUNT" });
  });

  it("makes an account for an identity once, whatever its email is later", async () => {
    const ann = await accounts.loginWith({ provider: "github", subject: "17", email: "Ann7@example.com" }, true);
    expect(ann).toMatchObject({ email: "ann7@example.com", role: "admin", orgId: expect.stringMatching(ID) });
    expect(await accounts.loginWith({ provider: "github", subject: "17", email: "ann7@example.com" }, true)).toEqual(
      ann,
    );
    expect(await accounts.loginWith({ provider: "github", subject: "17", email: "new7@example.com" }, true)).toEqual(
      ann,
    );
    expect(await accounts.loginWith({ provider: "github", subject: "17", email: "x7@example.com" }, false)).toEqual(
      ann,
    );
    await expect(
      accounts.loginWith({ provider: "github", subject: "18", email: "x7@example.com" }, false),
    ).rejects.toMatchObject({ code: "SIGNUP_CLOSED" });
    // The same number at another provider is somebody else.
    const other = await accounts.loginWith({ provider: "google", subject: "17", email: "new7@example.com" }, true);
    expect(other.userId).not.toBe(ann.userId);
  });

  it("gives nobody an account by its email alone: not one with a password, nor another provider's", async () => {
    await accounts.signup("ann8@example.com", PASSWORD);
    await accounts.loginWith({ provider: "github", subject: "1", email: "bob8@example.com" }, true);
    await expect(
      accounts.loginWith({ provider: "google", subject: "2", email: "ann8@example.com" }, true),
    ).rejects.toMatchObject({ code: "NAME_TAKEN", message: expect.stringContaining("with its password") });
    for (const [provider, subject] of [
      ["google", "1"],
      ["github", "3"],
    ] as const) {
      await expect(accounts.loginWith({ provider, subject, email: "bob8@example.com" }, true)).rejects.toMatchObject({
        code: "NAME_TAKEN",
        message: expect.stringContaining("with github"),
      });
    }
    await expect(accounts.signup("bob8@example.com", PASSWORD)).rejects.toMatchObject({ code: "NAME_TAKEN" });
    // Who has no password has none that fits.
    for (const password of ["", PASSWORD])
      await expect(accounts.login("bob8@example.com", password)).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
    for (const identity of [
      { provider: "github", subject: "", email: "eve8@example.com" },
      { provider: "gitlab", subject: "1", email: "eve8@example.com" },
      { provider: "github", subject: "9", email: "eve" },
    ])
      await expect(accounts.loginWith(identity as never, true)).rejects.toMatchObject({ code: "INVALID_ACCOUNT" });
  });

  it("gives back what a login at a provider began with, once", async () => {
    const attempt = { provider: "google", codeVerifier: "v".repeat(43) } as const;
    const state = await accounts.startOAuth(attempt, 600);
    const other = await accounts.startOAuth({ provider: "github", codeVerifier: "w" }, 600);
    expect(state).toMatch(/^[0-9a-f]{64}$/);
    expect(await accounts.takeOAuth(state)).toEqual(attempt);
    for (const wrong of [state, "", state.slice(1), "0".repeat(64)])
      await expect(accounts.takeOAuth(wrong)).rejects.toMatchObject({ code: "OAUTH_FAILED" });
    expect(await accounts.takeOAuth(other)).toEqual({ provider: "github", codeVerifier: "w" });
  });

  it("keeps all of it over a restart, a login at a provider too", async () => {
    const first = openAccounts();
    const ann = await first.signup("ann10@example.com", PASSWORD);
    const shop = await first.createDatabase(ann.orgId, "shop");
    const state = await first.startOAuth({ provider: "github", codeVerifier: "w" }, 600);
    await first.close();
    const second = openAccounts({ dir: first.dir });
    expect(await second.login("ann10@example.com", PASSWORD)).toEqual(ann);
    expect(await second.listDatabases(ann.orgId)).toEqual([shop]);
    expect(await second.takeOAuth(state)).toEqual({ provider: "github", codeVerifier: "w" });
  });
});
