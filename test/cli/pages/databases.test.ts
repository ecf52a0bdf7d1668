import { describe, expect, it } from "vitest";
import { startPageHost } from "../../pages/server-facade/page-host.js";
import { createPageUser, type PageUser } from "./page-cli.js";

async function signedUp(origin: string, email: string): Promise<PageUser> {
  const user = createPageUser(origin);
  expect(await user.call("signup", email)).toMatchObject({ code: 0 });
  return user;
}

describe("db", () => {
  it("makes, lists and deletes databases, and prints nothing but what scripts want", async () => {
    const { origin } = await startPageHost();
    const user = await signedUp(origin, "ada@example.com");
    const empty = await user.call("db", "list");
    expect(empty).toMatchObject({ code: 0, stdout: "" });
    expect(empty.stderr).toMatch(/There is no database yet/);
    const { stdout: shop } = await user.call("db", "create", "shop");
    const { stdout: blog } = await user.call("db", "create", "my blog");
    expect(shop).toMatch(/^\w+$/);
    expect(await user.call("db", "list")).toEqual({ code: 0, stdout: `${blog}\tmy blog\n${shop}\tshop`, stderr: "" });
    const listed = JSON.parse((await user.call("db", "list", "--json")).stdout);
    // An object, as `--json` promises of every line.
    expect(listed).toEqual({
      databases: [
        { id: blog, name: "my blog", orgId: expect.any(String), createdAt: expect.stringMatching(/^20\d\d-.*Z$/) },
        { id: shop, name: "shop", orgId: expect.any(String), createdAt: expect.stringMatching(/^20\d\d-.*Z$/) },
      ],
    });
    expect(await user.call("db", "create", "shop")).toMatchObject({ code: 1, stdout: "" });
    expect(await user.call("db", "delete", shop)).toEqual({ code: 0, stdout: `Deleted ${shop}`, stderr: "" });
    expect((await user.call("db", "list")).stdout).toBe(`${blog}\tmy blog`);
  });

  it("prints a token alone, for the time that was asked for", async () => {
    const { origin } = await startPageHost();
    const user = await signedUp(origin, "ada@example.com");
    const { stdout: id } = await user.call("db", "create", "shop");
    const { stdout: token, stderr } = await user.call("db", "token", id, "--direction", "push");
    expect(token).toMatch(/^[\w-]{40,}$/);
    expect(stderr).toBe("");
    const asJson = await user.call("db", "token", id, "--direction", "pull", "--ttl-seconds", "60", "--json");
    const { expiresAt, ...rest } = JSON.parse(asJson.stdout);
    expect(rest).toEqual({ token: expect.any(String), databaseId: id, direction: "pull" });
    const inSeconds = (Date.parse(expiresAt) - Date.now()) / 1_000;
    expect(inSeconds).toBeGreaterThan(50);
    expect(inSeconds).toBeLessThan(62);
    const long = await user.call("db", "token", id, "--direction", "pull", "--ttl-seconds", "99999999");
    expect(long).toMatchObject({ code: 1, stdout: "" });
    expect(long.stderr).toContain("86400");
  });

  it("does not find what is somebody else's", async () => {
    const { origin } = await startPageHost();
    const [ada, grace] = [await signedUp(origin, "ada@example.com"), await signedUp(origin, "grace@example.com")];
    const { stdout: id } = await ada.call("db", "create", "shop");
    const nobodys = "0".repeat(id.length);
    for (const args of [["delete"], ["token", "--direction", "pull"]]) {
      const [command = "", ...flags] = args;
      const theirs = await grace.call("db", command, id, ...flags);
      const missing = await grace.call("db", command, nobodys, ...flags);
      expect(theirs).toMatchObject({ code: 1, stdout: "" });
      expect(theirs.stderr.replaceAll(id, "")).toBe(missing.stderr.replaceAll(nobodys, ""));
    }
    expect((await ada.call("db", "list")).stdout).toBe(`${id}\tshop`);
  });

  it.each([
    [[], "db what? create, list, delete, token"],
    [["crate"], 'unknown command "crate": did you mean "create"?'],
    [["create"], "which NAME?"],
    [["delete", " "], "which ID?"],
    [["token", "x"], "--direction push or --direction pull?"],
    [["token", "x", "--direction", "psuh"], '--direction "psuh" is unknown: did you mean "push"?'],
    [["token", "x", "--direction", "push", "--ttl-seconds", "1h"], "--ttl-seconds must be a whole number of seconds"],
    [["token", "x", "--direction", "push", "--ttl-seconds", "0"], "--ttl-seconds must be a whole number of seconds"],
  ])("refuses %j with 2", async (args, message) => {
    const { code, stdout, stderr } = await createPageUser("http://127.0.0.1:1").call("db", ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr.startsWith(`starfish-replica: ${message}`)).toBe(true);
  });
});
