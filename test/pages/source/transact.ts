import type Database from "better-sqlite3";

/**
 * One transaction that changes pages all over the file. It keeps the sum of `account.n` at 0, and as many rows in `log` as `total` says.
 * @param size a large one rolls back half of what it does, and makes the file longer or shorter
 */
export function transact(database: Database.Database, size: "small" | "large" = "small"): void {
  database.exec(`
    BEGIN IMMEDIATE;
    UPDATE account SET n = n + 1 WHERE id = 1 + abs(random()) % 50;
    UPDATE log SET body = randomblob(800) WHERE id = 1 + abs(random()) % (SELECT max(id) FROM log);
    ${size === "large" ? LARGE : ""}
    UPDATE account SET n = n - 1 WHERE id = 51 + abs(random()) % 50;
    INSERT INTO log (body) VALUES (randomblob(1000));
    UPDATE total SET n = (SELECT count(*) FROM log), commits = commits + 1;
    COMMIT;
  `);
}

const LARGE = `
  SAVEPOINT undone;
  UPDATE log SET body = randomblob(1200);
  DELETE FROM account;
  ROLLBACK TO undone;
  DELETE FROM log WHERE id % 2 = 0;
  INSERT INTO log (body) SELECT randomblob(1 + abs(random()) % 2000) FROM account;
`;
