import { join } from "node:path";
import Database from "better-sqlite3";
import { argon2Verify } from "hash-wasm";
import { describe, expect, it } from "vitest";
import { createWorkerAccounts } from "../../../src/pages/accounts/create-worker-accounts.js";
import { phcString } from "../../../src/pages/accounts/password-hash.js";
import { atEnd } from "../../support/at-end.js";
import { size } from "../../support/size.js";
import { tempDir } from "../../support/temp-dir.js";
import { CHEAP, openAccounts, PASSWORD } from "./open-accounts.js";

function storedHash(dir: string): string {
  const database = new Database(join(dir, "accounts.db"), { readonly: true });
  try {
    return database.prepare("SELECT password_hash FROM users").pluck().get() as string;
  } finally {
    database.close();
  }
}

function median(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[times.length >> 1] ?? Number.NaN;
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const since = performance.now();
  await work().catch(() => {});
  return performance.now() - since;
}

describe("passwords", () => {
  it("are kept as Argon2id with a salt each, at the cost that OWASP advises, as others read it", async () => {
    const dir = tempDir();
    const accounts = createWorkerAccounts({ dir });
    atEnd(() => accounts.close());
    await accounts.signup("ann@example.com", PASSWORD);
    const hash = storedHash(dir);
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=47104,t=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(await argon2Verify({ password: PASSWORD, hash })).toBe(true);
    expect(await argon2Verify({ password: `${PASSWORD}!`, hash })).toBe(false);
  });

  it("are hashed anew at login when the cost has gone up, and go on to fit", async () => {
    const before = openAccounts();
    await before.signup("ann@example.com", PASSWORD);
    const old = storedHash(before.dir);
    await before.close();
    const after = openAccounts({ dir: before.dir, passwordCost: { memoryKiB: 128, iterations: 2 } });
    await expect(after.login("ann@example.com", "wrong password")).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
    expect(storedHash(before.dir)).toBe(old);
    await after.login("ann@example.com", PASSWORD);
    const renewed = storedHash(before.dir);
    expect(renewed).toMatch(/\$m=128,t=2,p=1\$/);
    await after.login("ann@example.com", PASSWORD);
    expect(storedHash(before.dir)).toBe(renewed);
  });

  it("take the same time where the email is unknown, where the password is wrong, and where there is none", {
    timeout: 60_000,
  }, async () => {
    const accounts = openAccounts({ passwordCost: { memoryKiB: 4_096, iterations: 1 } });
    await accounts.signup("ann@example.com", PASSWORD);
    await accounts.loginWith({ provider: "github", subject: "1", email: "bob@example.com" }, true);
    const kinds = {
      wrong: () => accounts.login("ann@example.com", "wrong password"),
      unknown: () => accounts.login("nobody@example.com", PASSWORD),
      passwordless: () => accounts.login("bob@example.com", PASSWORD),
      noEmail: () => accounts.login("nobody", PASSWORD),
      tooLong: () => accounts.login("ann@example.com", "x".repeat(2_000)),
    };
    const times = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, [] as number[]]));
    const ratios = (): [kind: string, ratio: number][] =>
      Object.entries(times).map(([kind, measured]) => [kind, median(measured) / median(times.wrong ?? [])]);
    const differ = () => ratios().filter(([, ratio]) => ratio < 0.7 || ratio > 1.4);
    // On a busy machine more rounds take out what comes from elsewhere; what comes from us stays.
    for (let round = 0; round < size({ test: 15, soak: 200 }) || (round < 400 && differ().length > 0); round += 1)
      for (const [kind, work] of Object.entries(kinds)) times[kind]?.push(await timeOf(work));
    expect(differ()).toEqual([]);
    // What it would be without a hash computed.
    const nothing = median(await Promise.all([1, 2, 3].map(() => timeOf(() => accounts.account("nobody")))));
    expect(nothing).toBeLessThan(median(times.wrong ?? []) / 3);
  });

  it("are hashed a few at a time; further ones wait, and beyond a limit are refused, while other calls go on", async () => {
    const accounts = openAccounts({
      passwordCost: { memoryKiB: 16_384, iterations: 2 },
      passwordThreads: 2,
      maxWaitingPasswords: 3,
    });
    await accounts.open();
    const settled: string[] = [];
    const logins = Array.from({ length: 8 }, (_, index) =>
      accounts.login(`user${index}@example.com`, PASSWORD).catch((error) => {
        settled.push(error.code);
        return error;
      }),
    );
    await accounts.account("nobody").then(() => settled.push("account"));
    const outcomes = await Promise.all(logins);
    expect(settled.slice(0, 4)).toEqual(["RATE_LIMITED", "RATE_LIMITED", "RATE_LIMITED", "account"]);
    expect(outcomes.map(({ code }) => code)).toEqual([
      ...Array.from({ length: 5 }, () => "UNAUTHENTICATED"),
      ...Array.from({ length: 3 }, () => "RATE_LIMITED"),
    ]);
    expect(outcomes[7]).toMatchObject({ retryable: true, retryAfterMs: expect.any(Number) });
    // Its place is free again.
    await expect(accounts.login("a@b.example", PASSWORD)).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
  });

  it("that wait are let go of when the accounts close", async () => {
    const accounts = openAccounts({ passwordCost: { memoryKiB: 65_536, iterations: 3 } });
    await accounts.open();
    const signups = [1, 2, 3, 4].map((index) => accounts.signup(`user${index}@example.com`, PASSWORD));
    const outcomes = Promise.allSettled(signups);
    await accounts.close();
    for (const outcome of await outcomes)
      expect(outcome).toMatchObject({ status: "rejected", reason: { code: "STOPPED" } });
    await expect(accounts.account("x")).rejects.toMatchObject({ code: "STOPPED" });
  });
});

describe("phcString", () => {
  it("reads what it writes, and nothing else", () => {
    const hash = { cost: CHEAP, salt: new Uint8Array(16).fill(7), hash: new Uint8Array(32).fill(9) };
    const text = phcString.write(hash);
    expect(phcString.read(text)).toEqual(hash);
    for (const other of ["", "x", text.replace("argon2id", "argon2i"), text.replace("v=19", "v=16"), `${text}=`])
      expect(phcString.read(other)).toBeNull();
  });
});
