import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { createAccountTables } from "../../../src/pages/accounts/accounts-schema.js";
import { OAuthStore } from "../../../src/pages/accounts/oauth-store.js";
import { atEnd } from "../../support/at-end.js";

function openStore(maxAttempts = 10): { store: OAuthStore; clock: { ms: number }; database: Database.Database } {
  const database = new Database(":memory:");
  atEnd(() => database.close());
  createAccountTables(database, ":memory:");
  const clock = { ms: 1_800_000_000_000 };
  return { store: new OAuthStore(database, maxAttempts, () => clock.ms), clock, database };
}

const ATTEMPT = { provider: "github", codeVerifier: "v" } as const;

describe("OAuthStore", () => {
  it("takes a state until its time is over, and says that it was too late", () => {
    const { store, clock } = openStore();
    const [early, late] = [store.start(ATTEMPT, 10), store.start(ATTEMPT, 10)];
    clock.ms += 9_999;
    expect(store.take(early)).toEqual(ATTEMPT);
    clock.ms += 1;
    expect(() => store.take(late)).toThrow(
      expect.objectContaining({ code: "OAUTH_FAILED", message: expect.stringContaining("too long ago") }),
    );
    expect(() => store.take(late)).toThrow(
      expect.objectContaining({ code: "OAUTH_FAILED", message: expect.stringContaining("not begun here") }),
    );
  });

  it("keeps nothing beyond its time, nor more than so many: those that would end first go", () => {
    const { store, clock, database } = openStore(3);
    const count = () => database.prepare("SELECT count(*) FROM oauth_attempts").pluck().get();
    const states = [20, 10, 30, 40, 50].map((seconds) => store.start(ATTEMPT, seconds));
    expect(count()).toBe(3);
    for (const gone of states.slice(0, 2)) expect(() => store.take(gone)).toThrow(/not begun here/);
    expect(store.take(states[2] ?? "")).toEqual(ATTEMPT);
    clock.ms += 45_000;
    store.start(ATTEMPT, 10);
    expect(count()).toBe(2);
    clock.ms += 45_000;
    store.sweep();
    expect(count()).toBe(0);
  });

  it("keeps no state in a form that it could be used in", () => {
    const { store, database } = openStore();
    const state = store.start(ATTEMPT, 10);
    const rows = JSON.stringify(database.prepare("SELECT *, hex(state_hash) AS hex FROM oauth_attempts").all());
    expect(rows.toLowerCase()).not.toContain(state);
  });
});
