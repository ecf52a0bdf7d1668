import type { Paint, Span } from "../demo/paint.js";
import type { World } from "./world.js";

/** What the demo says before it shows anything: where things are, and what to try. Each command can be pasted as it is. */
export function tablesGreeting({ postgres, database }: Pick<World, "postgres" | "database">, paint: Paint): string {
  const lines: Span[][] = [
    [["starfish-replica demo tables", "bold"]],
    [],
    [["source  "], [postgres.url, "cyan"], ["  a PostgreSQL of its own"]],
    [["copy    "], [database, "cyan"]],
    [],
    [["# look into the copy, with the history of its runs", "dim"]],
    [[`sqlite3 -box ${database} "SELECT state, count(*), sum(total) FROM orders GROUP BY state"`]],
    [[`sqlite3 -box ${database} "SELECT * FROM replication_runs ORDER BY id DESC LIMIT 5"`]],
    [],
    [["# change the source", "dim"]],
    [[`psql ${postgres.url} -c "DELETE FROM orders WHERE id % 10 = 0"`]],
    [],
  ];
  return lines.map((line) => `${paint(line)}\n`).join("");
}
