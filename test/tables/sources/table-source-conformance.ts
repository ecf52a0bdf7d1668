import { describe, expect, it } from "vitest";
import type { TableSource } from "../../../src/tables/sources/table-source.js";

/** An empty database and a source over it, both given back when the test ends. */
export interface SourceFixture {
  readonly source: TableSource;
  /** Runs statements that PostgreSQL and SQLite both know, separated by `;`. */
  run(sql: string): Promise<void>;
  /** The database's own type for bytes: `bytea`, `BLOB`. */
  readonly blobType: string;
  /** A literal of that type. */
  blob(hex: string): string;
}

/** Makes an empty database. Called once per test. */
export type SourceFactory = () => Promise<SourceFixture>;

/** What every {@link TableSource} promises. Called by each source's test file with real databases behind it. */
export function registerTableSourceTests(name: string, open: SourceFactory): void {
  describe(`TableSource: ${name}`, () => {
    it("says which table is missing", async () => {
      const { source } = await open();
      const describing = source.describe("nothing", { numeric: "real", signal: new AbortController().signal });
      await expect(describing).rejects.toMatchObject({ code: "TABLE_MISSING" });
    });
  });
}
