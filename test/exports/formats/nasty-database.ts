import type Database from "better-sqlite3";

/** Text as the bytes of a BLOB literal. */
const text = (hex: string): string => `CAST(X'${hex}' AS TEXT)`;

/** Everything that a dump may stumble over, in a database in UTF-8. */
export function buildNasty(database: Database.Database): void {
  database.pragma("page_size = 8192");
  database.pragma("auto_vacuum = incremental");
  database.pragma("foreign_keys = OFF");
  database.pragma("user_version = 42");
  database.pragma("application_id = -7");
  database.exec(`
    CREATE TABLE "va""lues"(id INTEGER PRIMARY KEY, any_value, "select" TEXT, 'it''s' REAL, [sp ace] NUMERIC, "naïve 😀" BLOB, "new
line" INTEGER -- a comment ; at the end
    );
    CREATE TABLE crlf(a TEXT DEFAULT 'one\r\ntwo', "b\r\nc" /* \r\n */);
    CREATE TABLE lone(a);
    INSERT INTO crlf DEFAULT VALUES;
    CREATE TABLE parent(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT COLLATE NOCASE UNIQUE);
    CREATE TABLE child(parent_id INTEGER REFERENCES parent(id), note, CHECK (note <> 'forbidden'));
    INSERT INTO parent VALUES(7, 'seven'), (9223372036854775000, 'far'), (-3, 'below');
    DELETE FROM parent WHERE id > 100;
    INSERT INTO child VALUES(7, 'x');
    PRAGMA ignore_check_constraints = ON;
    INSERT INTO child VALUES(7, 'forbidden');
    PRAGMA ignore_check_constraints = OFF;
    CREATE TABLE wr(a TEXT COLLATE NOCASE, b, c, PRIMARY KEY(b DESC, a)) WITHOUT ROWID;
    INSERT INTO wr VALUES('A', 1, 'x'), ('b', 1, 'y'), ('C', 1, NULL), ('a', 1.5, 0), (${text("610062")}, 'text', 1),
      (${text("61FF62")}, X'00FF', 2), ('', '', ''), ('big', 9223372036854775807, -9223372036854775808), ('r', 0.1, 9e999);
    CREATE TABLE st(a INTEGER PRIMARY KEY, b INT, c REAL, d TEXT, e BLOB, f ANY) STRICT;
    INSERT INTO st VALUES(1, -1, 5.0, '5', X'', '5'), (9223372036854775807, NULL, NULL, NULL, NULL, 5.0), (-9223372036854775808, 0, 0, '', x'00', -0.0);
    CREATE TABLE gen(a, b AS (a * 2), c TEXT, d GENERATED ALWAYS AS (c || '!') STORED, e);
    INSERT INTO gen(a, c, e) VALUES(1, 'x', 2), (NULL, NULL, NULL);
    CREATE TABLE gaps(a); INSERT INTO gaps(rowid, a) VALUES(-5, 'neg'), (1, 'one'), (2, 'two'), (77, 'far'), (9223372036854775807, 'last'), (-9223372036854775808, 'first');
    CREATE TABLE below(a); INSERT INTO below(rowid, a) VALUES(-3, 'neg'), (2, 'two');
    CREATE TABLE taken(rowid TEXT, _rowid_ TEXT); INSERT INTO taken(oid, rowid, _rowid_) VALUES(10, 'a', 'b'), (12, 'c', 'd');
    CREATE TABLE "all taken"(rowid, _rowid_, oid); INSERT INTO "all taken" VALUES(1, 2, 3), ('\r\n', ${text("00")}, NULL);
    CREATE TABLE own_rowid(rowid INTEGER PRIMARY KEY, x); INSERT INTO own_rowid VALUES(5, 'five');
    CREATE TABLE "key desc"(id INTEGER PRIMARY KEY DESC, x); INSERT INTO "key desc" VALUES(5, 'five'), (3, 'three');
    CREATE TABLE made AS SELECT id AS "i d", name FROM parent;
    CREATE TABLE renamed_before(a, b); INSERT INTO renamed_before VALUES(1, 2); ALTER TABLE renamed_before RENAME TO "after 'it'";
    ALTER TABLE "after 'it'" ADD COLUMN added DEFAULT 'ad''ded';
    CREATE TABLE empty_one(a, b);
    CREATE INDEX "in dex" ON parent(name DESC) WHERE id > 0;
    CREATE INDEX expression ON gen(a + 1, lower(c));
    CREATE VIEW later AS SELECT * FROM earlier; CREATE VIEW earlier(x) AS SELECT a FROM gen;
    CREATE TRIGGER "trig ger" AFTER INSERT ON parent WHEN new.id > 0 BEGIN INSERT INTO child VALUES(new.id, 'fired; END;'); END;
    CREATE TRIGGER instead INSTEAD OF INSERT ON earlier BEGIN INSERT INTO gen(a) VALUES(new.x); END;
  `);
  const insert = database.prepare(
    `INSERT INTO "va""lues"(any_value, "select", 'it''s', [sp ace], "naïve 😀", "new\nline") VALUES(?, ?, ?, ?, ?, ?)`,
  );
  for (const value of ODD_VALUES) insert.run(value, value, value, value, value, value);
  for (const bytes of ["61FF62", "ED A0 80", "C3", "00", "610062000D0A", "FEFF", "EFBBBF61", "F8888080"].map((hex) =>
    hex.replaceAll(" ", ""),
  )) {
    database.exec(`INSERT INTO "va""lues"(any_value, "select") VALUES(${text(bytes)}, ${text(bytes)})`);
  }
  // Lone bytes in a default.
  database.exec("PRAGMA writable_schema = ON");
  database.exec(
    "UPDATE sqlite_schema SET sql = CAST(CAST('CREATE TABLE lone(a DEFAULT ''' AS BLOB) || X'FFFE' || CAST(''')' AS BLOB) AS TEXT) WHERE name = 'lone'",
  );
  database.exec("PRAGMA writable_schema = RESET; ANALYZE");
}

export const ODD_VALUES: readonly (null | number | bigint | string | Buffer)[] = [
  null,
  0,
  -0,
  1.5,
  0.1,
  1 / 3,
  5e-324,
  2.2250738585072014e-308,
  -4.768989001519786e-293,
  1.7976931348623157e308,
  Infinity,
  -Infinity,
  123456789012345680000,
  1e15,
  9007199254740993n,
  9223372036854775807n,
  -9223372036854775808n,
  9007199254740991n,
  -9007199254740992n,
  0n,
  "",
  "'",
  '"',
  "''",
  "a,b",
  "line\nfeed",
  "carriage\r\nreturn",
  "\r",
  "\\r and \r",
  "nul\0inside",
  "\0",
  "1",
  "1.0",
  "1e999",
  "NULL",
  "Infinity",
  "x'00'",
  "😀",
  "\ufeffbom",
  "\u2028",
  "\uffff",
  "\ud7ff\ue000",
  ");\nDROP TABLE st;--",
  ".quit",
  "/",
  "go",
  "\t\u0001\u001f\u007f",
  Buffer.alloc(0),
  Buffer.from([0]),
  Buffer.from([0, 255, 39, 13, 10, 1, 2]),
  Buffer.from("text"),
];
