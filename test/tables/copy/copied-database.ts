import type { TestDatabase, TestPostgres } from "../../support/postgres.js";
import { type EngineFixture, startEngine } from "./engine-fixture.js";

export interface CopiedDatabase extends EngineFixture {
  readonly source: TestDatabase;
}

export const USERS = `CREATE TABLE users (id bigserial PRIMARY KEY, name text, updated_at timestamptz NOT NULL DEFAULT clock_timestamp())`;

/** A new database, made by `sql`, and an engine over it. */
export async function startOver(postgres: TestPostgres, sql: string): Promise<CopiedDatabase> {
  const source = await postgres.createDatabase();
  await source.query(sql);
  return { ...(await startEngine(source.url)), source };
}
