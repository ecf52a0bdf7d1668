import { Code, ConnectError } from "@connectrpc/connect";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createOAuthProviders } from "../../../src/pages/admin/create-oauth-providers.js";
import { type AdminHost, startAdminHost } from "./admin-host.js";
import { CLIENT, OAuthStub } from "./oauth-stub.js";

// The browser is sent back to an address that nobody asks: the tests look at where it would go.
const REDIRECT_BASE = "https://sync.example.com/";
const BOTH = { redirectBase: REDIRECT_BASE, github: CLIENT, google: CLIENT };
type ProviderName = "github" | "google";

let stub: OAuthStub;
let host: AdminHost;
let count = 0;
beforeAll(async () => {
  stub = await OAuthStub.start();
  host = await startAdminHost({ providers: createOAuthProviders(BOTH, stub.endpoints) });
});
beforeEach(() => {
  becomeSomebody();
  stub.tamper = (jwt) => jwt;
  stub.host.failWith(null);
  stub.host.requests.splice(0);
  host.errors.splice(0);
});

/** A user at both providers who was never here. */
function becomeSomebody(): string {
  const email = `octo${++count}@example.com`;
  stub.githubUser = { id: count, login: "octocat" };
  stub.githubEmails = [
    { email: "other@example.com", primary: false, verified: true },
    { email, primary: true, verified: true },
  ];
  stub.googleClaims = { sub: String(count), email };
  return email;
}

async function failure(call: Promise<unknown>): Promise<{ code: string | undefined; message: string }> {
  const error = await call.then(
    () => expect.fail("the call succeeded"),
    (thrown: unknown) => ConnectError.from(thrown),
  );
  return { code: Code[error.code], message: error.rawMessage };
}

/** Goes where the browser goes, until it is to come back to us. */
async function visit(redirectUrl: string): Promise<{ state: string; code: string }> {
  const answer = await fetch(redirectUrl, { redirect: "manual" });
  expect(answer.status).toBe(302);
  const back = new URL(answer.headers.get("location") ?? "");
  expect(`${back.origin}${back.pathname}`).toBe("https://sync.example.com/oauth/callback");
  return { state: back.searchParams.get("state") ?? "", code: back.searchParams.get("code") ?? "" };
}

async function begin(provider: ProviderName, on: AdminHost = host): Promise<{ state: string; code: string }> {
  const { redirectUrl, state } = await on.client().startOAuth({ provider });
  const back = await visit(redirectUrl);
  expect(back.state).toBe(state);
  return back;
}

describe.each<ProviderName>(["github", "google"])("login with %s", (provider) => {
  it("makes an account, and finds it again", async () => {
    const email = becomeSomebody();
    const first = await host.client().completeOAuth(await begin(provider));
    expect(first.whoami).toMatchObject({ email, role: "admin" });
    expect((await host.client(first.sessionToken).whoami({})).whoami).toEqual(first.whoami);
    const second = await host.client().completeOAuth(await begin(provider));
    expect(second.whoami).toEqual(first.whoami);
    expect(host.errors).toEqual([]);
  });

  it("goes by the provider's own id of the user, which outlives a change of the email", async () => {
    const { whoami } = await host.client().completeOAuth(await begin(provider));
    stub.githubEmails = [{ email: `new-${provider}@example.com`, primary: true, verified: true }];
    stub.googleClaims = { ...stub.googleClaims, email: `new-${provider}@example.com` };
    const again = await host.client().completeOAuth(await begin(provider));
    expect(again.whoami?.userId).toBe(whoami?.userId);
  });

  it("does not take over the account of a user with a password", async () => {
    const email = becomeSomebody();
    await host.client().signup({ email, password: "correct horse battery" });
    expect(await failure(host.client().completeOAuth(await begin(provider)))).toMatchObject({ code: "AlreadyExists" });
  });

  it("exchanges a state once", async () => {
    const back = await begin(provider);
    await host.client().completeOAuth(back);
    expect(await failure(host.client().completeOAuth(back))).toMatchObject({ code: "Unauthenticated" });
    expect(stub.host.count({ path: `/${provider}/token` })).toBe(1);
  });

  it("does not spend a code with another login's state", async () => {
    const [mine, theirs] = [await begin(provider), await begin(provider)];
    const mixed = host.client().completeOAuth({ state: mine.state, code: theirs.code });
    expect(await failure(mixed)).toMatchObject({
      code: "Unauthenticated",
      message: expect.stringContaining("belongs to another login"),
    });
    expect(host.errors).toEqual([]);
  });

  it("refuses a state whose time is over", async () => {
    const short = await startAdminHost({
      providers: createOAuthProviders(BOTH, stub.endpoints),
      oauthStateTtlSeconds: 0.001,
    });
    const back = await begin(provider, short);
    expect(await failure(short.client().completeOAuth(back))).toMatchObject({ code: "Unauthenticated" });
    expect(stub.host.count({ path: `/${provider}/token` })).toBe(0);
  });

  it("makes no account where sign-up is closed, and still lets in who has one", async () => {
    const providers = createOAuthProviders(BOTH, stub.endpoints);
    let allowNew = true;
    const closed = await startAdminHost({
      providers,
      wrapAccounts: (accounts) => ({
        ...accounts,
        loginWith: (identity, allowed) => accounts.loginWith(identity, allowNew || allowed),
      }),
      allowSignup: false,
    });
    const { whoami } = await closed.client().completeOAuth(await begin(provider, closed));
    allowNew = false;
    expect((await closed.client().completeOAuth(await begin(provider, closed))).whoami).toEqual(whoami);
    becomeSomebody();
    expect(await failure(closed.client().completeOAuth(await begin(provider, closed)))).toMatchObject({
      code: "PermissionDenied",
    });
  });

  it("says so where the provider gives no answer, and tells the operator", async () => {
    const back = await begin(provider);
    stub.host.failWith(503);
    const error = await failure(host.client().completeOAuth(back));
    expect(error).toMatchObject({ code: "Unavailable", message: expect.stringContaining("gives no answer") });
    expect(host.errors).toHaveLength(1);
  });

  it("tells the operator that the client's secret is wrong, and nobody what it is", async () => {
    const wrong = { ...CLIENT, clientSecret: "wrong-secret" };
    const providers = createOAuthProviders({ ...BOTH, [provider]: wrong }, stub.endpoints);
    const mistaken = await startAdminHost({ providers });
    const error = await failure(mistaken.client().completeOAuth(await begin(provider, mistaken)));
    expect(error).toMatchObject({ code: "Unauthenticated", message: expect.stringMatching(/client/) });
    expect(mistaken.errors).toHaveLength(1);
    expect(JSON.stringify([error, String(mistaken.errors[0])])).not.toContain("wrong-secret");
  });
});

describe("login with github", () => {
  it.each<[string, unknown]>([
    ["an unverified primary address", [{ email: "octo@example.com", primary: true, verified: false }]],
    ["no primary address", [{ email: "octo@example.com", primary: false, verified: true }]],
    ["no address", []],
  ])("refuses %s", async (_what, emails) => {
    stub.githubEmails = emails;
    expect(await failure(host.client().completeOAuth(await begin("github")))).toMatchObject({
      code: "Unauthenticated",
      message: expect.stringContaining("not verified"),
    });
  });

  it.each<[string, unknown, unknown]>([
    ["a user without an id", {}, []],
    ["an id that is text", { id: "1" }, []],
    ["no list of addresses", { id: 1 }, { message: "no" }],
    ["nothing at all", null, [null]],
  ])("refuses %s from the API", async (_what, user, emails) => {
    [stub.githubUser, stub.githubEmails] = [user, emails];
    expect(await failure(host.client().completeOAuth(await begin("github")))).toMatchObject({
      code: "Unauthenticated",
    });
  });
});

describe("login with google", () => {
  const past = Math.floor(Date.now() / 1_000) - 7_200;
  it.each<[string, Record<string, unknown>]>([
    ["of another issuer", { iss: "https://accounts.example.com" }],
    ["for another client", { aud: "somebody-else" }],
    ["that is too old", { iat: past, exp: past + 60 }],
    ["of another login", { nonce: "another" }],
    ["with no nonce", { nonce: undefined }],
    ["with an email that is not verified", { email_verified: false }],
    ["that does not say whether the email is verified", { email_verified: undefined }],
    ["without an email", { email: undefined }],
    ["without a subject", { sub: undefined }],
  ])("refuses an id token %s", async (_what, claims) => {
    stub.googleClaims = { ...stub.googleClaims, ...claims };
    expect(await failure(host.client().completeOAuth(await begin("google")))).toMatchObject({
      code: "Unauthenticated",
    });
    expect(stub.host.count({ path: "/google/token" })).toBe(1);
  });

  it.each<[string, (jwt: string) => string]>([
    ["with changed claims", (jwt) => changeClaims(jwt, { email: "victim@example.com" })],
    ["without a signature", (jwt) => `${unsigned(jwt)}.`],
    ["that is none", () => "nothing"],
  ])("refuses an id token %s", async (_what, tamper) => {
    stub.tamper = tamper;
    expect(await failure(host.client().completeOAuth(await begin("google")))).toMatchObject({
      code: "Unauthenticated",
    });
  });
});

describe("providers", () => {
  it("that are not there are like those that give no answer", async () => {
    const gone = await OAuthStub.start();
    const own = await startAdminHost({ providers: createOAuthProviders(BOTH, gone.endpoints) });
    const back = await begin("google", own);
    await gone.host.stop();
    expect(await failure(own.client().completeOAuth(back))).toMatchObject({ code: "Unavailable" });
  });

  it("that are not configured are not implemented", async () => {
    const onlyGithub = createOAuthProviders({ redirectBase: REDIRECT_BASE, github: CLIENT }, stub.endpoints);
    const own = await startAdminHost({ providers: onlyGithub });
    expect(await failure(own.client().startOAuth({ provider: "google" }))).toMatchObject({
      code: "Unimplemented",
      message: expect.stringContaining("github"),
    });
    expect(await failure(own.client().startOAuth({ provider: "gitlab" }))).toMatchObject({ code: "Unimplemented" });
    expect(await failure(own.client().startOAuth({ provider: "" }))).toMatchObject({ code: "InvalidArgument" });
    expect(createOAuthProviders({ redirectBase: undefined, github: CLIENT, google: CLIENT })).toEqual([]);
  });

  it("refuse a login that nobody began, without being asked", async () => {
    await host.client().startOAuth({ provider: "github" });
    expect(await failure(host.client().completeOAuth({ state: "guessed", code: "c" }))).toMatchObject({
      code: "Unauthenticated",
    });
    expect(await failure(host.client().completeOAuth({ state: "", code: "c" }))).toMatchObject({
      code: "InvalidArgument",
    });
    expect(await failure(host.client().completeOAuth({ state: "s", code: "" }))).toMatchObject({
      code: "InvalidArgument",
    });
    expect(stub.host.requests).toEqual([]);
  });

  it("of one's own get nothing of a login at another", async () => {
    const github = await begin("github");
    const { state } = await host.client().startOAuth({ provider: "google" });
    expect(await failure(host.client().completeOAuth({ state, code: github.code }))).toMatchObject({
      code: "Unauthenticated",
    });
  });

  it("are asked at the addresses that they have", async () => {
    const [github, google] = createOAuthProviders(BOTH);
    expect(await github?.authorizationUrl("s", "v".repeat(43))).toMatch(
      /^https:\/\/github\.com\/login\/oauth\/authorize\?/,
    );
    expect(await google?.authorizationUrl("s", "v".repeat(43))).toMatch(
      /^https:\/\/accounts\.google\.com\/o\/oauth2\/v2\/auth\?/,
    );
  });
});

function unsigned(jwt: string): string {
  const [, claims = ""] = jwt.split(".");
  return `${Buffer.from(JSON.stringify({ alg: "none" })).toString("base64url")}.${claims}`;
}

function changeClaims(jwt: string, change: Record<string, unknown>): string {
  const [header = "", claims = "", signature = ""] = jwt.split(".");
  const read: unknown = JSON.parse(Buffer.from(claims, "base64url").toString());
  const changed = Buffer.from(JSON.stringify({ ...(read as object), ...change })).toString("base64url");
  return `${header}.${changed}.${signature}`;
}
