import { describe, expect, it } from "vitest";
import { DUMP_FORMATS } from "../../../src/exports/formats/dump-formats.js";
import { DUMP_START } from "../../../src/exports/formats/dump-position.js";
import { size } from "../../support/size.js";
import { snapshotOf } from "./dump-fixture.js";

// A second and half a gigabyte of disk.
const isAffordable = size({ test: 0, ci: 1, soak: 1 }) === 1;

describe("a row whose statement SQLite would not read", () => {
  it.runIf(isAffordable)(
    "fails in sql before anything of it is written, and goes in other formats",
    () => {
      const source = snapshotOf((database) => {
        database.pragma("journal_mode = OFF");
        database.pragma("synchronous = OFF");
        // As hexadecimal digits both are more than 10^9 bytes; each alone would pass.
        database.exec("CREATE TABLE t(id INTEGER PRIMARY KEY, a BLOB, b); INSERT INTO t VALUES(1, 'short', 'row')");
        database.exec("INSERT INTO t VALUES(7, zeroblob(300000000), zeroblob(200000000))");
      });
      const part = DUMP_FORMATS.sql.open(source, { table: "t" }).part(DUMP_START);
      let written = "";
      expect(() => {
        for (let step = part.next(); step.done !== true; step = part.next()) written += step.value.toString("latin1");
      }).toThrow(
        expect.objectContaining({
          code: "LOCAL_DATABASE",
          message: expect.stringContaining('A row of table "t" would be a statement of more than 1 000 000 000 bytes'),
          hint: expect.stringContaining("another format"),
        }),
      );
      expect(written).toContain("(1,'short','row')");
      expect(written).not.toContain("0000");
      const csv = DUMP_FORMATS.csv.open(source, { table: "t" }).part(DUMP_START);
      let bytes = 0;
      for (let step = csv.next(); step.done !== true && bytes < 5_000_000; step = csv.next())
        bytes += step.value.length;
      csv.return(undefined as never);
      expect(bytes).toBeGreaterThan(5_000_000);
    },
    120_000,
  );
});
