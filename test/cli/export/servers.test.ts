import { describe, expect, it } from "vitest";
import { hostile } from "../../support/hostile.js";
import { type HttpListener, startHttpHost } from "../../support/http-host.js";
import { callCli } from "./call-cli.js";
import { startFakeExports } from "./fake-exports.js";
import { jsonLines } from "./run-cli.js";

const SECRET = "s3cret-token-of-ours";

/** Runs `export status` against a server of this behaviour. */
async function ask(listener: HttpListener, args: readonly string[] = ["status"]) {
  const { origin } = await startHttpHost(listener);
  const run = await callCli({ STARFISH_REPLICA_SERVER: origin, STARFISH_REPLICA_TOKEN: SECRET }, args);
  expect(run.stderr + run.stdout).not.toContain(SECRET);
  return { ...run, origin };
}

function answer(
  status: number,
  body: string,
  headers: Record<string, string> = { "content-type": "application/json" },
): HttpListener {
  return (_, response) => response.writeHead(status, headers).end(body);
}

describe("a command that asks a server", () => {
  it("takes server and token from flags before it takes them from the environment", async () => {
    const fake = await startFakeExports();
    const wrong = { env: { STARFISH_REPLICA_SERVER: "http://127.0.0.1:1", STARFISH_REPLICA_TOKEN: "wrong" } };
    const flags = ["--server", `${fake.host.origin}/`, "--token", fake.token];
    expect(await callCli(wrong.env, ["status", ...flags])).toMatchObject({ code: 0 });
  });

  it.each([
    [{}, [], "which server? Give --server URL, or set STARFISH_REPLICA_SERVER"],
    [{ STARFISH_REPLICA_SERVER: "" }, [], "which server?"],
    [{}, ["--server", "localhost:4000"], "--server must begin with http:// or https://"],
    [{ STARFISH_REPLICA_SERVER: "ftp://x" }, [], "STARFISH_REPLICA_SERVER must begin with http:// or https://"],
    [{}, ["--server", `http://me:${SECRET}@x`], "--server must hold no user and password"],
    [{}, ["--server", `http://x/?t=${SECRET}`], '--server must hold neither "?" nor "#"'],
    [{}, ["--server", "http://"], "--server is no URL that can be read"],
    [{}, ["--server", "http://x", "--token", `${SECRET}\u0000`], "--token holds characters that no token has"],
  ])("refuses what it cannot use: %j %j", async (env, flags, message) => {
    if (flags.some((flag) => flag.includes("\u0000"))) flags = flags.map((flag) => flag.replace("\u0000", "\n!"));
    const run = await callCli(env, ["status", ...flags]);
    expect(run).toMatchObject({ code: 2, stdout: "" });
    expect(run.stderr).toContain(`starfish-replica: ${message}`);
    expect(run.stderr).not.toContain(SECRET);
  });

  it("says what to do where nothing listens, and where the host is not known", async () => {
    const host = await startHttpHost(() => {});
    await host.stop();
    const at = async (server: string) => await callCli({ STARFISH_REPLICA_SERVER: server }, ["status"]);
    expect(await at(host.origin)).toEqual({
      code: 1,
      stdout: "",
      stderr: `starfish-replica: nothing answers at ${host.origin}. Is it running, and is --server right?\n`,
    });
    expect((await at("http://no-such-host.invalid")).stderr).toContain(
      "the host of http://no-such-host.invalid is not known",
    );
  });

  it("says which token is missing or wrong", async () => {
    const fake = await startFakeExports();
    const run = async (env: Record<string, string | undefined>) =>
      (await callCli({ ...fake.env, ...env } as Record<string, string>, ["status"])).stderr;
    expect(await run({ STARFISH_REPLICA_TOKEN: undefined })).toBe(
      "starfish-replica: the server asks for its control token. Give it with --token TOKEN or STARFISH_REPLICA_TOKEN.\n",
    );
    const wrong = await run({ STARFISH_REPLICA_TOKEN: SECRET });
    expect(wrong).toContain("the server does not accept this token. Its own is what its routes were given as `token`");
    expect(wrong).not.toContain(SECRET);
  });

  it.each([
    ["a page", answer(200, "<!doctype html><p>Hello", { "content-type": "text/html" }), "is no server of this kind"],
    ["a kind that plays with the terminal", answer(200, "x", { "content-type": "x\u009b2J" }), "it answers with x 2J"],
    ["such a kind beside an error", answer(418, "x", { "content-type": "x\u009b2J" }), "status 418 and x 2J"],
    ["other JSON", answer(200, '{"hello":1}'), "the server's answer is no export job"],
    ["another job", answer(200, '{"jobs":[{"id":"../x"}]}'), '"id" is not what it should be'],
    ["a page that says 404", answer(404, "<p>no", { "content-type": "text/html" }), "does that server have this part"],
    ["a page that says 403", answer(403, "<p>no", { "content-type": "text/html" }), "does not accept this token"],
    ["a page that says 502", answer(502, "<p>no", { "content-type": "text/html" }), "is not available (502)"],
    ["a broken-off answer", answer(200, '{"jobs":[', {}), "is no server of this kind"],
    ["no answer at all", hostile.hangUp("reset"), "the connection to http://127.0.0.1:"],
    [
      "a redirect",
      answer(302, "", { location: "https://example.com/login?next=1" }),
      "leads elsewhere (302), which is not followed. Is https://example.com/login what --server should lead to?",
    ],
    [
      "being busy",
      answer(503, '{"error":"2 exports run","code":"EXPORT_BUSY"}', { "retry-after": "30" }),
      "2 exports run. The server asks to wait 30 s.",
    ],
    [
      "control characters and our own token",
      answer(400, JSON.stringify({ error: `bad \u001b]0;x\u0007 ${SECRET} \u202e`, code: "X" })),
      "bad ]0;x [token]\n",
    ],
  ])("explains %s", async (_, listener, text) => {
    const { code, stdout, stderr } = await ask(listener);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain(text);
    expect(stderr.split("\n").filter((line) => /\p{C}/u.test(line))).toEqual([]);
  });

  it("never sends a start twice, and says what the server said", async () => {
    let posts = 0;
    const { code, stderr } = await ask(
      (_, response) => {
        posts += 1;
        response.writeHead(503, { "content-type": "application/json", "retry-after": "7" });
        response.end('{"error":"as many exports as may wait are waiting","code":"EXPORT_BUSY"}');
      },
      ["start", "--json"],
    );
    expect({ code, posts }).toEqual({ code: 1, posts: 1 });
    expect(jsonLines(stderr)).toEqual([
      {
        event: "error",
        code: "EXPORT_BUSY",
        error: "as many exports as may wait are waiting. The server asks to wait 7 s.",
      },
    ]);
  });

  it("warns of a token that goes over the network unencrypted", async () => {
    const env = { STARFISH_REPLICA_SERVER: "http://no-such-host.invalid", STARFISH_REPLICA_TOKEN: SECRET };
    const { stderr } = await callCli(env, ["status"]);
    expect(stderr).toMatch(/^starfish-replica: warning: the token goes to no-such-host.invalid unencrypted/);
    expect(stderr).not.toContain(SECRET);
  });
});

describe("export", () => {
  it.each(["--help", "-h", "help", "start --help", "download -h", "help status", "cancel --help"])(
    "prints its usage for %s, with no server at all",
    async (line) => {
      const run = await callCli({}, line.split(" "));
      expect(run).toMatchObject({ code: 0, stderr: "" });
      const [, name = ""] = /(start|download|status|cancel)/.exec(line) ?? [];
      expect(run.stdout).toMatch(new RegExp(`^Usage: starfish-replica export ${name}`));
      expect(Math.max(...run.stdout.split("\n").map((text) => text.length))).toBeLessThanOrEqual(80);
      for (const part of ["--server", "--token", "--json", "Exit codes: 0 "]) expect(run.stdout).toContain(part);
    },
  );

  it.each([
    ["", "export what?"],
    ["donwload x", 'unknown command "donwload": did you mean "download"?'],
    ["--jsno", 'unknown flag "--jsno": known: "--help"'],
    ["download", "which JOB?"],
    ["download a --outptu x", 'unknown flag "--outptu": did you mean "--output"?'],
    ["download a -o", "-o needs a value"],
    ["cancel a --force", 'unknown flag "--force"'],
  ])("refuses `%s` with 2 and its own usage", async (line, message) => {
    const run = await callCli({}, line.split(" ").filter(Boolean));
    expect(run).toMatchObject({ code: 2, stdout: "" });
    expect(run.stderr).toContain(`starfish-replica: ${message}`);
    expect(run.stderr).toContain("\nUsage: starfish-replica export");
  });
});
