import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exportFileName } from "../../../src/exports/export-file-name.js";

const at = new Date("2026-03-04T23:59:59.999Z");

describe("exportFileName", () => {
  it.each([
    ["/data/shop.db", null, "sql", "shop-2026-03-04.sql"],
    ["/data/shop.v2.db", null, "ndjson", "shop.v2-2026-03-04.ndjson"],
    ["shop", ["users"], "csv", "users-2026-03-04.csv"],
    ["shop.db", ["users", "orders"], "json", "shop-2026-03-04.json"],
    ["shop.db", ["../../etc/passwd"], "csv", "_.._etc_passwd-2026-03-04.csv"],
    ["shop.db", ["..\\..\\x"], "csv", "_.._x-2026-03-04.csv"],
    ["shop.db", ["\u202egnp.exe"], "csv", "_gnp.exe-2026-03-04.csv"],
    ["shop.db", ["a\0b\r\nSet-Cookie: x"], "csv", "a_b_Set-Cookie_ x-2026-03-04.csv"],
    ["shop.db", ['say "hi"'], "csv", "say _hi_-2026-03-04.csv"],
    ["shop.db", ["\ud800"], "csv", "_-2026-03-04.csv"],
    ["shop.db", ["Übergrößenträger"], "csv", "Übergrößenträger-2026-03-04.csv"],
    ["shop.db", ["表"], "csv", "表-2026-03-04.csv"],
    ["shop.db", [" . "], "csv", "export-2026-03-04.csv"],
    ["shop.db", [""], "csv", "export-2026-03-04.csv"],
    ["/data/.db", null, "sql", "db-2026-03-04.sql"],
  ] as const)("calls %s %j as %s %s", (database, tables, format, name) => {
    expect(exportFileName(database, { format, tables, at })).toBe(name);
  });

  it("is harmless whatever the table is called", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (table) => {
        const name = exportFileName("shop.db", { format: "csv", tables: [table], at });
        expect(name).toMatch(/^[^\s.][^/\\<>:"|?*\p{C}\p{Zl}\p{Zp}]*-2026-03-04\.csv$/u);
        expect(Buffer.byteLength(name)).toBeLessThan(255);
        expect(encodeURIComponent(name)).toBeTruthy();
      }),
    );
  });
});
