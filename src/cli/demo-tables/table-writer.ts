import { repeat } from "../demo/repeat.js";
import type { World } from "./world.js";

/** Whom the writer tells, and asks. */
interface Audience {
  /** What has happened that is worth a look. */
  tell(news: string): void;
  mayDelete(): boolean;
  onError(error: unknown): void;
}

const EVERY_MS = 250;
const PER_SECOND = 1_000 / EVERY_MS;

/**
 * Changes the tables a few times a second: inserts, updates, deletes, now and then a transaction that takes its number early and commits
 * late, and after a while one column more. While the source is stopped nobody writes.
 * @returns ends it, with every transaction that it has begun
 */
export function startTableWriter(
  { bakery, postgres }: World,
  { tell, mayDelete, onError }: Audience,
): () => Promise<void> {
  let turn = 0;
  let late: Awaited<ReturnType<typeof bakery.lateVisit>> | null = null;

  const write = async (): Promise<void> => {
    turn += 1;
    const every = (seconds: number, offset = 0): boolean => turn % (seconds * PER_SECOND) === offset * PER_SECOND;
    await bakery.query("INSERT INTO visits (page) SELECT '/page/' || n FROM generate_series(1, 3) AS n");
    await bakery.query("INSERT INTO orders (customer, total) VALUES ($1, $2)", [`customer ${turn % 97}`, turn % 50]);
    await bakery.query(
      "UPDATE orders SET state = 'paid' WHERE id IN (SELECT id FROM orders WHERE state = 'open' ORDER BY id LIMIT 2)",
    );
    if (every(2) && mayDelete())
      await bakery.query("DELETE FROM orders WHERE id IN (SELECT id FROM orders ORDER BY id LIMIT 3)");
    if (every(4)) await bakery.query("UPDATE prices SET price = price + 0.10");
    if (turn === 10 * PER_SECOND) {
      await bakery.query("ALTER TABLE orders ADD COLUMN note text");
      tell("orders has got another column: note");
    }
    if (turn > 10 * PER_SECOND) {
      await bakery.query("UPDATE orders SET note = $1 WHERE id = (SELECT max(id) FROM orders)", [
        `written in turn ${turn}`,
      ]);
    }
    if (every(10, 3) && !late) {
      late = await bakery.lateVisit();
      tell(`visit ${late.id} has its number, but is not committed; later visits are`);
    } else if (every(10, 7)) await commit();
  };

  const commit = async (): Promise<void> => {
    const ending = late;
    late = null;
    if (!ending) return;
    await ending.commit();
    tell(`visit ${ending.id} is committed late: the copy goes back for it`);
  };

  const stopWriting = repeat(
    EVERY_MS,
    async () => {
      if (postgres.running) await write();
    },
    (error) => {
      // Stopped in the middle of a write: whatever was open is lost, and its connection is given back.
      void commit().catch(() => {});
      if (postgres.running) onError(error);
    },
  );
  return async () => {
    await stopWriting();
    await commit().catch(() => {});
  };
}
