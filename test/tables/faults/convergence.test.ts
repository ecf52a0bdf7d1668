import { join } from "node:path";
import fc from "fast-check";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { ReplicaError } from "../../../src/errors.js";
import type { TableTaskDefinition, TaskRecord, VerifyResult } from "../../../src/tables/tasks/table-task.js";
import { startPostgres, type TestDatabase } from "../../support/postgres.js";
import { inCi, size } from "../../support/size.js";
import { tempDir } from "../../support/temp-dir.js";
import { ALTERATIONS, type Alteration, type BusySource, type SourceStep } from "./busy-source.js";
import { BusySqliteTable } from "./busy-sqlite-table.js";
import { BusyTable } from "./busy-table.js";
import { type Death, MortalEngine } from "./mortal-engine.js";

type Step =
  | SourceStep
  | {
      readonly kind: "run";
      readonly reason: "scheduled" | "requested";
      readonly death: Death | null;
      /** Writes between this run's batches. */
      readonly meanwhile: readonly SourceStep[];
    }
  /** Compares, and mends where that is wanted, while others write. */
  | { readonly kind: "verify"; readonly repair: boolean; readonly meanwhile: readonly SourceStep[] }
  | { readonly kind: "restart" };

interface Kind {
  readonly source: "postgres" | "sqlite";
  readonly keyed: boolean;
  /** Rows without a key that are younger come with a later run: all is there at once only without a lag. */
  readonly lagSeconds?: number;
  /** The copy follows all that is written, so that `verify` may find nothing at any time. */
  readonly exact: boolean;
  readonly definition: Omit<TableTaskDefinition, "sourceTable">;
}

const by = fc.nat({ max: 3 });
const rows = fc.integer({ min: 1, max: 12 });
const every = fc.nat({ max: 3 });
const kind = <Name extends string>(name: Name) => fc.constant(name);
const goodClock = fc.constantFrom("statement" as const, "transaction" as const);
const anyClock = fc.constantFrom("statement" as const, "transaction" as const, "back" as const, "null" as const);

const transactions = [
  fc.record({ kind: kind("begin"), by, look: fc.boolean() }),
  fc.record({ kind: kind("begin"), by, look: fc.boolean() }),
  fc.record({ kind: kind("end"), by, commit: fc.boolean() }),
  fc.record({ kind: kind("savepoint"), by, rollBack: fc.boolean() }),
];
const alter = (what: readonly Alteration[]) =>
  fc.record({ kind: kind("alter"), what: fc.constantFrom(...what), column: fc.nat({ max: 2 }) });
const insert = fc.record({ kind: kind("insert"), by, rows, clock: goodClock });
const update = fc.record({ kind: kind("update"), by, every, clock: goodClock });

/** Every write moves its row's cursor forward, and no row goes. */
const goodWriteAnd = (alterations: readonly Alteration[]): fc.Arbitrary<SourceStep> =>
  fc.oneof(insert, insert, update, update, ...transactions, alter(alterations));
const goodWrite = goodWriteAnd(ALTERATIONS);
/** A SQLite table that is made again may be in the old one's place, and nothing tells. */
const goodSqliteWrite = goodWriteAnd(ALTERATIONS.filter((what) => what !== "new table"));
/** Fewer transactions: without a key a run waits for each, in vain for most. */
const insertAlone: fc.Arbitrary<SourceStep> = fc.oneof(
  { weight: 20, arbitrary: insert },
  ...[...transactions, alter(ALTERATIONS)].map((arbitrary) => ({ weight: 1, arbitrary })),
);
const goodInsert: fc.Arbitrary<SourceStep> = fc.oneof(insert, insert, insert, ...transactions, alter(ALTERATIONS));
const anyWrite: fc.Arbitrary<SourceStep> = fc.oneof(
  goodWrite,
  fc.record({ kind: kind("insert"), by, rows, clock: anyClock }),
  fc.record({ kind: kind("update"), by, every, clock: fc.oneof(anyClock, kind("unchanged")) }),
  fc.record({ kind: kind("delete"), by, every }),
  fc.record({ kind: kind("rekey"), by, every }),
  fc.constant({ kind: "truncate" as const }),
);

function storyOf(write: fc.Arbitrary<SourceStep>): fc.Arbitrary<Story> {
  const death = fc.option(
    fc.record({
      atTransaction: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 15 })),
      committed: fc.boolean(),
    }),
    { freq: 2 },
  );
  const run = fc.record({
    kind: kind("run"),
    reason: fc.constantFrom("scheduled" as const, "requested" as const),
    death,
    meanwhile: fc.array(write, { maxLength: 6 }),
  });
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 10, arbitrary: write },
    { weight: 5, arbitrary: run },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: kind("verify"),
        repair: fc.boolean(),
        meanwhile: fc.array(write, { maxLength: 6 }),
      }),
    },
    { weight: 1, arbitrary: fc.constant({ kind: "restart" as const }) },
  );
  return fc.record({
    batchSize: fc.integer({ min: 1, max: 7 }),
    lagSeconds: fc.constantFrom(0, 1),
    steps: fc.array(step, { maxLength: 30, size: "max" }),
  });
}

interface Story {
  readonly batchSize: number;
  readonly lagSeconds: number;
  readonly steps: readonly Step[];
}

let source: TestDatabase;
const clients: pg.Client[] = [];
let stories = 0;
const undo: (() => void)[] = [];

beforeAll(async () => {
  const postgres = await startPostgres();
  source = await postgres.createDatabase();
  for (let count = 0; count < 4; count += 1) clients.push(await source.connect());
  undo.push(MortalEngine.install());
  // Each look at the clock takes long: a unit is a batch or two, and nobody waits long for an open transaction.
  let now = 0;
  const clock = vi.spyOn(performance, "now").mockImplementation(() => {
    now += 600;
    return now;
  });
  undo.push(() => clock.mockRestore());
}, 60_000);
afterAll(() => {
  for (const back of undo) back();
});

async function makeTable({ keyed, source: kind }: Kind): Promise<{ table: BusySource; url: string }> {
  if (kind === "postgres")
    return { table: await BusyTable.create(source, `busy_${stories}`, { keyed, clients }), url: source.url };
  const file = join(tempDir(), "source.db");
  return { table: new BusySqliteTable(file, { keyed, wal: stories % 3 > 0 }), url: `sqlite:${file}` };
}

async function play(kindOf: Kind, { batchSize, lagSeconds, steps }: Story): Promise<void> {
  stories += 1;
  const { table, url } = await makeTable(kindOf);
  const engine = new MortalEngine(tempDir(), url, kindOf.lagSeconds ?? lagSeconds);
  try {
    await engine.open();
    const task = await engine.add({ ...kindOf.definition, sourceTable: table.name, batchSize });
    for (const step of steps) {
      if (step.kind === "restart") {
        await engine.close();
        await engine.open();
      } else if (step.kind === "run") {
        engine.dieAt(step.death);
        await run(engine, task, step.reason, table, step.meanwhile);
        engine.dieAt(null);
      } else if (step.kind === "verify") {
        const found = await verify(engine, task, table, step);
        if (kindOf.exact && found) expect(found, "false alarm").toMatchObject({ equal: true });
      } else await table.take(step);
    }
    await table.settle();
    const reason = kindOf.definition.deletes ? "requested" : "scheduled";
    await run(engine, task, reason, table);
    if (kindOf.definition.deletes) await run(engine, task, reason, table);
    await compare(table, engine);
    const proof = await engine.verify(task.id, false);
    expect(proof).toMatchObject({ equal: true, missing: 0, extra: 0, different: 0 });
  } finally {
    await engine.close();
    await table.drop();
  }
}

/** Altered while it was read, or without a key while a transaction is open. */
function isPassing(error: unknown): boolean {
  return error instanceof ReplicaError && ["SOURCE_FAILED", "TABLE_MISSING"].includes(error.code);
}

/** Until the copy has caught up, or the engine has died, or the source said why it cannot be followed just now. */
async function run(
  engine: MortalEngine,
  task: TaskRecord,
  reason: "scheduled" | "requested",
  table: BusySource,
  meanwhile: readonly SourceStep[] = [],
): Promise<void> {
  const todo = [...meanwhile];
  try {
    for (let more = true; more; ) {
      const outcome = await engine.advance(task.id, reason);
      if (!outcome) await engine.open();
      more = outcome?.more ?? false;
      const next = todo.shift();
      if (next) await table.take(next);
    }
  } catch (error) {
    if (!isPassing(error) || table.quiet) throw error;
  }
}

/** `null` where the source says why it cannot be compared just now. */
async function verify(
  engine: MortalEngine,
  task: TaskRecord,
  table: BusySource,
  { repair, meanwhile }: { readonly repair: boolean; readonly meanwhile: readonly SourceStep[] },
): Promise<VerifyResult | null> {
  const found = engine.verify(task.id, repair).catch((error: unknown) => {
    if (isPassing(error)) return null;
    throw error;
  });
  // Looked at below.
  found.catch(() => {});
  for (const step of meanwhile) await table.take(step);
  return await found;
}

/** Reads both sides without the package's help. */
async function compare(table: BusySource, engine: MortalEngine): Promise<void> {
  const { columns, rows: there } = await table.read();
  const here = engine.look((database) => {
    expect(database.pragma("integrity_check", { simple: true })).toBe("ok");
    const values = columns.map((name) => `CAST("${name}" AS TEXT)`).join(", ");
    const found = database.prepare(`SELECT ${values} FROM "${table.name}"`).raw().all();
    return found.map((row) => JSON.stringify(row)).sort();
  });
  expect(here).toEqual(there);
}

const RECONCILED = { mode: "upsert", cursorColumn: "updated_at", deletes: "reconcile" } as const;
const KINDS: readonly (readonly [
  string,
  Kind,
  fc.Arbitrary<SourceStep>,
  { test: number; ci: number; soak: number },
])[] = [
  [
    "upsert alone, where each write moves the cursor",
    { source: "postgres", keyed: true, exact: true, definition: { mode: "upsert", cursorColumn: "updated_at" } },
    goodWrite,
    { test: 8, ci: 60, soak: 500 },
  ],
  [
    "upsert and reconcile, whatever is written",
    { source: "postgres", keyed: true, exact: false, definition: RECONCILED },
    anyWrite,
    { test: 8, ci: 60, soak: 500 },
  ],
  [
    "append by id, where rows are only added",
    { source: "postgres", keyed: true, exact: true, definition: { mode: "append", cursorColumn: "id" } },
    goodInsert,
    { test: 4, ci: 30, soak: 200 },
  ],
  [
    "append without a primary key, each row once",
    { source: "postgres", keyed: false, exact: true, definition: { mode: "append", cursorColumn: "id" } },
    insertAlone,
    { test: 4, ci: 30, soak: 200 },
  ],
  [
    "append by time without a primary key, each row once",
    {
      source: "postgres",
      keyed: false,
      exact: true,
      lagSeconds: 0,
      definition: { mode: "append", cursorColumn: "updated_at" },
    },
    insertAlone,
    { test: 3, ci: 30, soak: 200 },
  ],
  [
    "upsert from SQLite, where each write moves the cursor",
    { source: "sqlite", keyed: true, exact: true, definition: { mode: "upsert", cursorColumn: "updated_at" } },
    goodSqliteWrite,
    { test: 4, ci: 60, soak: 500 },
  ],
  [
    "upsert and reconcile from SQLite, whatever is written",
    { source: "sqlite", keyed: true, exact: false, definition: RECONCILED },
    anyWrite,
    { test: 4, ci: 60, soak: 500 },
  ],
  [
    "full, whatever is written",
    { source: "postgres", keyed: false, exact: false, definition: { mode: "full" } },
    anyWrite,
    { test: 4, ci: 30, soak: 200 },
  ],
];

describe("A copy of a table in use, by an engine that is killed now and then", () => {
  it.each(KINDS.filter((_, i) => inCi || i % 2 === 0))(
    "is equal in the end: %s",
    { timeout: 60 * 60_000 },
    async (name, kindOf, write, sizes) => {
      const seed = Number(process.env.STARFISH_TEST_SEED ?? Date.now() % 2 ** 31);
      const numRuns = Number(process.env.STARFISH_TEST_RUNS ?? size(sizes));
      process.stdout.write(`tables, ${name}: STARFISH_TEST_SEED=${seed}, ${numRuns} stories\n`);
      const property = fc.asyncProperty(storyOf(write), (story) => play(kindOf, story));
      await fc.assert(property, { seed, numRuns, endOnFailure: process.env.STARFISH_TEST_SHRINK === undefined });
    },
  );

  it("was killed indeed", () => {
    expect(MortalEngine.deaths).toBeGreaterThan(3);
  });
});
