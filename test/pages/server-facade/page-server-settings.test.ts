import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { ConfigurationError } from "../../../src/errors.js";
import { createPageServer } from "../../../src/pages/create-page-server.js";
import { readPageServerEnvironment } from "../../../src/pages/page-server-environment.js";
import type { PageServerOptions } from "../../../src/pages/page-server-options.js";
import { parsePageServerSettings } from "../../../src/pages/page-server-settings.js";

const KEY = randomBytes(32).toString("base64");
const GOOD: PageServerOptions = { dir: "data/pages", sessionKey: KEY };

function mistakesOf(work: () => unknown): readonly string[] {
  try {
    work();
  } catch (error) {
    if (error instanceof ConfigurationError) return error.mistakes;
    throw error;
  }
  return expect.fail("nothing was wrong");
}

const parse = (options: object) => parsePageServerSettings({ ...GOOD, ...options } as PageServerOptions);

describe("the options of a page server", () => {
  it("have the documented defaults", () => {
    expect(parse({})).toMatchObject({
      dir: resolve("data/pages"),
      sessionTtlSeconds: 86_400,
      syncTokenTtlSeconds: 3_600,
      maxSyncTokenTtlSeconds: 86_400,
      oauthStateTtlSeconds: 600,
      maxDatabaseBytes: 10 * 1024 ** 3,
      maxOrganisationBytes: 100 * 1024 ** 3,
      maxDatabases: 1_000,
      maxSyncs: 64,
      idleSeconds: 60,
      allowSignup: true,
    });
  });

  it("may allow sync tokens a shorter life than the default, which follows", () => {
    expect(parse({ maxSyncTokenTtlSeconds: 60 })).toMatchObject({ syncTokenTtlSeconds: 60 });
  });

  it("are refused with all their mistakes at once", () => {
    const mistakes = mistakesOf(() =>
      createPageServer({
        dir: "",
        sessionKey: "short",
        sesionTtlSeconds: 5,
        sessionTtlSeconds: 1.5,
        maxSyncs: 0,
        maxDatabaseBytes: "10 GiB",
        oauthRedirectBase: "sync.example.com",
        github: { clientId: "id", secret: "hidden-secret" },
        google: "yes",
        allowSignup: "no",
        feed: {},
        clientAddress: "x",
        onError: 5,
      } as unknown as PageServerOptions),
    );
    expect(mistakes).toHaveLength(14);
    for (const [index, part] of [
      'unknown option "sesionTtlSeconds": did you mean "sessionTtlSeconds"?',
      "dir must be",
      "sessionKey is not base64",
      "sessionTtlSeconds must be a whole number of seconds from 1",
      "maxDatabaseBytes must be",
      "maxSyncs must be",
      "oauthRedirectBase must be",
      'unknown option "github.secret"',
      "github.clientSecret must be",
      "google must be an object",
      "allowSignup must be",
      "feed must be",
      "clientAddress must be",
      "onError must be",
    ].entries()) {
      expect(mistakes[index]).toContain(part);
    }
    expect(mistakes.join()).not.toContain("hidden-secret");
  });

  it.each([[null], [[]], ["options"], [undefined]])("are refused where they are no object: %j", (options) => {
    expect(mistakesOf(() => createPageServer(options as unknown as PageServerOptions))).toHaveLength(1);
  });

  it.each([
    ["ftp://sync.example.com", "URL"],
    ["https://user:pass-word@sync.example.com", "without user and password"],
    ["https://sync.example.com/?a=b", "without query"],
    ["https://sync.example.com/#a", "without query"],
  ])("take no such URL for OAuth: %s", (oauthRedirectBase, part) => {
    const [mistake = "", ...others] = mistakesOf(() => parse({ oauthRedirectBase }));
    expect(others).toEqual([]);
    expect(mistake).toContain(part);
    expect(mistake).not.toContain("pass-word");
  });

  it("ask for no longer sync tokens than they allow", () => {
    expect(mistakesOf(() => parse({ syncTokenTtlSeconds: 600, maxSyncTokenTtlSeconds: 60 }))).toEqual([
      expect.stringContaining("got 600 and 60"),
    ]);
    expect(mistakesOf(() => parse({ syncTokenTtlSeconds: 90_000 }))).toHaveLength(1);
  });

  it("are not the caller's any more once they are read", () => {
    const github = { clientId: "a", clientSecret: "b" };
    const settings = parse({ github });
    github.clientId = "changed";
    expect(settings.github).toEqual({ clientId: "a", clientSecret: "b" });
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("thrown by the handler");
      },
    ],
    ["rejects", () => Promise.reject(new Error("thrown by the handler"))],
  ])("let no handler of errors break what calls it: one that %s", async (_how, onError) => {
    const warned = new Promise((told) => process.once("warning", told));
    const settings = parse({ onError });
    expect(() => settings.onError(new Error("first"))).not.toThrow();
    expect(await warned).toMatchObject({ message: "thrown by the handler" });
  });
});

describe("the environment of a page server", () => {
  it("gives all the pinned settings", () => {
    expect(
      readPageServerEnvironment({
        SESSION_KEY: KEY,
        SESSION_TTL_SECONDS: "1",
        SYNC_TOKEN_TTL_SECONDS: "2",
        MAX_SYNC_TOKEN_TTL_SECONDS: " 3 ",
        OAUTH_STATE_TTL_SECONDS: "4",
        OAUTH_REDIRECT_BASE: "https://sync.example.com",
        GITHUB_CLIENT_ID: "a",
        GITHUB_CLIENT_SECRET: "b",
        GOOGLE_CLIENT_ID: "c",
        GOOGLE_CLIENT_SECRET: "d",
        PATH: "/bin",
      }),
    ).toEqual({
      sessionKey: KEY,
      sessionTtlSeconds: 1,
      syncTokenTtlSeconds: 2,
      maxSyncTokenTtlSeconds: 3,
      oauthStateTtlSeconds: 4,
      oauthRedirectBase: "https://sync.example.com",
      github: { clientId: "a", clientSecret: "b" },
      google: { clientId: "c", clientSecret: "d" },
    });
  });

  it("gives nothing where nothing is set, or it is empty", () => {
    expect(readPageServerEnvironment({})).toEqual({});
    expect(readPageServerEnvironment({ SESSION_KEY: "", GITHUB_CLIENT_ID: " ", SESSION_TTL_SECONDS: "" })).toEqual({});
  });

  it("may have several keys, with commas between them", () => {
    const other = randomBytes(32).toString("base64");
    const { sessionKey } = readPageServerEnvironment({ SESSION_KEY: `${KEY}, ${other}` });
    expect(sessionKey).toEqual([KEY, other]);
    expect(parse({ sessionKey }).keys).toHaveLength(2);
  });

  it("is refused with all its mistakes at once", () => {
    const mistakes = mistakesOf(() =>
      readPageServerEnvironment({
        SESSION_TTL_SECONDS: "1h",
        SYNC_TOKEN_TTL_SECONDS: "-1",
        GITHUB_CLIENT_ID: "a",
        GOOGLE_CLIENT_SECRET: "hidden-secret",
      }),
    );
    expect(mistakes).toEqual([
      "GITHUB_CLIENT_SECRET is missing: GITHUB_CLIENT_ID is set",
      "GOOGLE_CLIENT_ID is missing: GOOGLE_CLIENT_SECRET is set",
      "SESSION_TTL_SECONDS must be a whole number of seconds",
      "SYNC_TOKEN_TTL_SECONDS must be a whole number of seconds",
    ]);
  });
});
