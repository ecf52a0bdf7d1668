import { basename } from "node:path";
import { create } from "content-disposition";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { harmlessName } from "../../../src/cli/export/download/harmless-name.js";

describe("the name of a download", () => {
  it.each(["shop-2026-03-04.sql", "Bäckerei Müller, 1. März (2).csv", "日本語.json", "a+b, c [d].ndjson"])(
    "stays what it is where it is harmless: %s",
    (name) => expect(harmlessName(create(name))).toBe(name),
  );

  it.each([
    null,
    "",
    "attachment",
    "attachment; filename=",
    'attachment; filename="/"',
    'attachment; filename="…"',
    ";;;",
  ])("is nobody's where nothing is left of it: %s", (header) => expect(harmlessName(header)).toBeNull());

  it.each([
    ["con", "_con"],
    ["NUL.sql", "_NUL.sql"],
    ["-rf", "rf"],
    ["~root", "root"],
    ["a:b.sql", "a_b.sql"],
    ["x.sql. ", "x.sql"],
  ])("is no device, flag, home or stream: %s", (name, expected) => {
    expect(harmlessName(create(name))).toBe(expected);
  });

  it("keeps its end where it is too long", () => {
    const name = harmlessName(create(`${"ü".repeat(300)}-2026-03-04.sql`)) ?? "";
    expect(name).toMatch(/^ü+-2026-03-04\.sql$/);
    expect(Buffer.byteLength(`${name}.part.json.4194304`)).toBeLessThanOrEqual(255);
  });

  it("is a plain name whatever the server says", () => {
    const headers = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.string({ unit: "grapheme" }).map((name) => `attachment; filename="${name}"`),
      fc.string({ unit: "binary", maxLength: 400 }).map((name) => `attachment; filename*=UTF-8''${encode(name)}`),
    );
    fc.assert(
      fc.property(headers, (header) => {
        const name = harmlessName(header);
        if (name === null) return;
        expect(basename(name)).toBe(name);
        expect(name).not.toMatch(/^[.~-]|[/\\:*?"<>|$`';]|\p{C}|[\s.]$/u);
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(201);
      }),
    );
  });
});

/** As `encodeURIComponent`, also of half a surrogate pair. */
function encode(text: string): string {
  return [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
}
