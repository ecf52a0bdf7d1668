import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { PassThrough } from "node:stream";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { describe, expect, it } from "vitest";
import { readPassword } from "../../../src/cli/pages/read-password.js";
import { createSessionFile } from "../../../src/cli/pages/session-file.js";
import { AdminService } from "../../../src/pages/admin/gen/edgereplica/admin/v1/admin_pb.js";
import { startPageHost } from "../../pages/server-facade/page-host.js";
import { startHttpHost } from "../../support/http-host.js";
import { tempDir } from "../../support/temp-dir.js";
import { BUILT_CLI } from "../built-cli.js";
import { hasScript, spawnInTerminal } from "../terminal-child.js";
import { createPageUser, PASSWORD } from "./page-cli.js";

const EMAIL = "ada@example.com";
const OTHER = "grace@example.com";

describe("accounts on the command line", () => {
  it("signs up, keeps the login for its user alone, and says who that is", async () => {
    const { origin } = await startPageHost();
    const user = createPageUser(origin);
    expect(await user.call("signup", EMAIL)).toEqual({ code: 0, stdout: `Signed up as ${EMAIL}`, stderr: "" });
    expect(statSync(user.session).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(user.session)).mode & 0o777).toBe(0o700);
    const { stdout } = await user.call("whoami");
    expect(stdout).toMatch(/^ada@example\.com \(admin\)\nuser \w+\norganisation \w+$/);
    const asJson = JSON.parse((await user.call("whoami", "--json")).stdout);
    expect(asJson).toEqual({ userId: expect.any(String), email: EMAIL, orgId: expect.any(String), role: "admin" });
    expect(readFileSync(user.session, "utf8")).not.toContain(PASSWORD);
  });

  it("logs in, as somebody else in the place of the one before, and keeps the logins at other servers", async () => {
    const [first, second] = [await startPageHost(), await startPageHost()];
    const user = createPageUser(first.origin);
    await user.call("signup", EMAIL);
    await user.call("signup", EMAIL, "--server", second.origin);
    await user.call("signup", OTHER);
    expect((await user.call("whoami")).stdout).toContain(OTHER);
    expect((await user.call("whoami", "--server", second.origin)).stdout).toContain(EMAIL);
    expect(await user.call("login", EMAIL)).toEqual({ code: 0, stdout: `Logged in as ${EMAIL}`, stderr: "" });
    expect((await user.call("whoami")).stdout).toContain(EMAIL);
  });

  it("says the same of a wrong password and of an unknown email, and 1", async () => {
    const { origin } = await startPageHost();
    await createPageUser(origin).call("signup", EMAIL);
    const wrong = createPageUser(origin, { STARFISH_REPLICA_PASSWORD: "something else" });
    const answers = [await wrong.call("login", EMAIL), await wrong.call("login", OTHER)];
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]).toMatchObject({ code: 1, stdout: "" });
    expect(answers[0]?.stderr).toMatch(/password/);
    const asJson = await wrong.call("login", EMAIL, "--json");
    expect(JSON.parse(asJson.stderr)).toMatchObject({ event: "error", code: "UNAUTHENTICATED" });
    expect(existsSync(wrong.session)).toBe(false);
  });

  it.each([
    ["a taken email", ["signup", EMAIL], {}, /account with this email/],
    ["a short password", ["signup", OTHER], { STARFISH_REPLICA_PASSWORD: "short" }, /8 characters/],
    ["an email that is none", ["signup", "ada"], {}, /email/i],
  ] as const)("says what is wrong with %s", async (_, [command, ...args], env, message) => {
    const { origin } = await startPageHost();
    await createPageUser(origin).call("signup", EMAIL);
    const { code, stdout, stderr } = await createPageUser(origin, env).call(command, ...args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(message);
  });

  it("reads the password from a pipe", async () => {
    const { origin } = await startPageHost();
    const child = createPageUser(origin, { STARFISH_REPLICA_PASSWORD: "" }).start("signup", EMAIL);
    child.writeLine(PASSWORD);
    child.endInput();
    expect(await child.exited).toMatchObject({ code: 0 });
    expect(await createPageUser(origin).call("login", EMAIL)).toMatchObject({ code: 0 });
  });

  it.skipIf(!hasScript)(
    "asks for it on a terminal, twice for a new one, and shows none of it (needs script)",
    async () => {
      const { origin } = await startPageHost();
      const { env } = createPageUser(origin, { STARFISH_REPLICA_PASSWORD: "" });
      const run = (command: string) => spawnInTerminal(`"${process.execPath}" "${BUILT_CLI}" ${command}`, env);
      const enter = async (terminal: ReturnType<typeof run>, ...passwords: string[]) => {
        for (const [index, password] of passwords.entries()) {
          await terminal.waitFor(index === 0 ? /Password: / : /Once more: /);
          terminal.type(`${password}\r`);
        }
      };
      const differing = run(`signup ${EMAIL}`);
      await enter(differing, PASSWORD, "correct horse batterie");
      await differing.waitFor(/the two passwords differ/);
      const signup = run(`signup ${EMAIL}`);
      await enter(signup, PASSWORD, PASSWORD);
      await signup.waitFor(/Signed up as ada@example\.com/);
      const login = run(`login ${EMAIL}`);
      // Backspace mends it.
      await enter(login, `${PASSWORD}x\x7f`);
      await login.waitFor(/Logged in as ada@example\.com/);
      expect(`${signup.text}${login.text}${differing.text}`).not.toContain("horse");
      const stopped = run(`login ${EMAIL}; echo "ended with $?"`);
      await stopped.waitFor(/Password: /);
      stopped.type("\x03");
      await stopped.waitFor(/Stopped\.\s+ended with 1/);
    },
  );

  it.each([
    [["signup"], "which EMAIL?"],
    [["signup", "a@b.de", "c@d.de"], 'unexpected argument "c@d.de"'],
    [["login", "a@b.de", "--pasword=x"], 'unknown flag "--pasword": known: "--server", "--json", "--help"'],
    [["oauth", "start"], "which PROVIDER? github or google"],
    [["oauth", "start", "gitlab"], 'unknown provider "gitlab": did you mean "github"?'],
    [["oauth", "complete", "--state", "s"], "--state and --code: the page in the browser shows both"],
    [["oauth"], "oauth what? start, complete"],
    [["oauth", "strat"], 'unknown command "strat": did you mean "start"?'],
  ] as const)("refuses %j with 2, what is wrong and its usage", async ([command, ...args], message) => {
    const { code, stdout, stderr } = await createPageUser("http://127.0.0.1:1").call(command, ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr.startsWith(`starfish-replica: ${message}\n\nUsage: starfish-replica ${command}`)).toBe(true);
  });

  it("says where it has no login, no server, or a server of another kind", async () => {
    const user = createPageUser("http://127.0.0.1:1");
    expect((await user.call("whoami")).stderr).toMatch(/nobody is logged in at .* Log in with: starfish-replica login/);
    expect((await user.call("login", EMAIL)).stderr).toMatch(/nothing answers at http:\/\/127\.0\.0\.1:1/);
    const site = await startHttpHost((_, response) => response.writeHead(404).end("<h1>No such page</h1>"));
    expect((await user.call("login", EMAIL, "--server", site.origin)).stderr).toMatch(/no page server at/);
    const greeter = await startHttpHost((_, response) => response.end("<h1>Hello</h1>"));
    const greeted = await user.call("login", EMAIL, "--server", greeter.origin);
    expect(greeted).toMatchObject({ code: 1, stdout: "" });
    expect(greeted.stderr).toMatch(/is no server of this kind|the server failed/);
  });

  it("asks to log in again where the login is not good any more", async () => {
    const dir = (await startPageHost()).dir;
    const { origin } = await startPageHost({ dir: `${dir}-other` });
    const user = createPageUser(origin);
    await user.call("signup", EMAIL);
    const session = JSON.parse(readFileSync(user.session, "utf8"));
    session.token = `${session.token.slice(0, -4)}AAAA`;
    writeFileSync(user.session, JSON.stringify(session));
    const { code, stderr } = await user.call("whoami");
    expect(code).toBe(1);
    expect(stderr).toMatch(/log in/i);
    expect(stderr).not.toContain(session.token);
  });

  it("does not take a file for a login that it is not, and mends it by the next one", async () => {
    const { origin } = await startPageHost();
    const user = createPageUser(origin);
    mkdirSync(dirname(user.session), { recursive: true });
    for (const odd of ["{ torn", "null", "[]", '{"server":"http://elsewhere.example","token":"t","email":"e"}']) {
      writeFileSync(user.session, odd);
      expect((await user.call("whoami")).stderr).toMatch(/keeps a login, is not as this program writes it/);
    }
    chmodSync(user.session, 0o644);
    expect(await user.call("signup", EMAIL)).toMatchObject({ code: 0, stderr: "" });
    expect(statSync(user.session).mode & 0o777).toBe(0o600);
    expect(await user.call("whoami")).toMatchObject({ code: 0 });
  });

  it("keeps logins at many servers that are made at once", async () => {
    const env = { XDG_CONFIG_HOME: tempDir() };
    const servers = Array.from({ length: 8 }, (_, port) => `http://127.0.0.1:${port + 1}`);
    const files = ["http://[::1]", `http://${"a".repeat(250)}.example/x`, ...servers].map((server) =>
      createSessionFile(server, env),
    );
    await Promise.all(files.map((file, index) => file.write({ token: `t${index}`, email: EMAIL })));
    for (const [index, file] of files.entries()) expect(await file.read()).toMatchObject({ token: `t${index}` });
  });

  it("takes and shows nothing of a server that a terminal would obey, or no header can hold", async () => {
    const evil = "\u001b]0;owned\u0007";
    const who = { userId: `u${evil}`, email: `e${evil}`, orgId: `o${evil}`, role: `r${evil}` };
    const database = { id: `d${evil}`, name: `n${evil}`, orgId: "o", createdAtUnix: 2n ** 63n - 1n };
    let token = "a\nb";
    const server = connectNodeAdapter({
      routes: (router) =>
        router.service(AdminService, {
          login: () => ({ sessionToken: token, whoami: who }),
          whoami: () => ({ whoami: who }),
          createDatabase: () => database,
          listDatabases: () => ({ databases: [database] }),
          issueSyncToken: () => ({ token, expUnix: 2n ** 63n - 1n }),
        }),
    });
    const { origin } = await startHttpHost((request, response) => server(request, response));
    const user = createPageUser(origin);
    expect((await user.call("login", EMAIL)).stderr).toMatch(/gave no session that can be used/);
    expect(existsSync(user.session)).toBe(false);
    token = "good";
    const shown = [await user.call("login", EMAIL), await user.call("whoami")];
    shown.push(await user.call("db", "create", "x"), await user.call("db", "list"));
    for (const { code, stdout, stderr } of shown) {
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toContain("owned");
      expect(stdout.replaceAll(/[\n\t]/g, "")).not.toMatch(/\p{Cc}/u);
    }
    expect(JSON.parse((await user.call("db", "create", "x", "--json")).stdout)).toMatchObject({ createdAt: null });
    const issue = () => user.call("db", "token", "x", "--direction", "push");
    expect(await issue()).toEqual({ code: 0, stdout: "good", stderr: "" });
    token = `t${evil}`;
    expect(await issue()).toMatchObject({ code: 1, stdout: "", stderr: expect.stringMatching(/no token that can be/) });
  });

  it("waits no longer for a password from a pipe when it is asked to end", async () => {
    const stdin = new PassThrough() as unknown as NodeJS.ReadStream;
    const stop = new AbortController();
    const reading = readPassword({ stdin, stderr: process.stderr, env: {} }, false, stop.signal);
    stop.abort();
    await expect(reading).rejects.toThrow("abort");
  });
});
