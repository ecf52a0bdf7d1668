import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ArtifactWriter } from "../../../src/exports/artifacts/artifact-store.js";
import type { DumpPiece, DumpReader } from "../../../src/exports/dump/dump-reader.js";
import type { DumpPosition } from "../../../src/exports/formats/dump-position.js";
import type { NewPart } from "../../../src/exports/jobs/job-record.js";
import { createWholeHash } from "../../../src/exports/jobs/whole-hash.js";
import { writeParts } from "../../../src/exports/jobs/write-parts.js";
import { sha256 } from "./engine-fixture.js";

const NEVER = new AbortController().signal;

/** A dump of these pieces, of which each ends a part. */
function dumpOf(pieces: readonly string[], breaksAfter = Number.POSITIVE_INFINITY): DumpReader {
  return {
    fingerprint: "test",
    tables: ["t"],
    async *read({ step }: DumpPosition): AsyncIterable<DumpPiece> {
      for (const [offset, text] of pieces.slice(step).entries()) {
        const index = step + offset;
        if (index >= breaksAfter) return;
        const isLast = index === pieces.length - 1;
        yield {
          bytes: Buffer.from(text),
          end: { next: isLast ? null : { step: index + 1, after: null }, rows: 1, rowsOf: [[0, 1]], tablesDone: 0 },
        };
      }
    },
    close: async () => {},
  };
}

/** A store in memory whose parts take their time to finish. */
function memoryWriter(minBytes: number, file: Map<number, string>): ArtifactWriter {
  return {
    minPartBytes: () => minBytes,
    part: (number) => {
      let text = "";
      return {
        write: async (bytes) => {
          text += Buffer.from(bytes);
        },
        finish: async () => {
          await new Promise((resolve) => setImmediate(resolve));
          file.set(number, text);
          return `receipt ${number}`;
        },
        discard: async () => {},
      };
    },
    complete: async () => "here",
    close: async () => {},
  };
}

describe("writeParts", () => {
  it("writes every byte once, in parts that are large enough, wherever it was cut and goes on", async () => {
    const pieces = fc.array(fc.string({ minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(pieces, fc.integer({ min: 1, max: 20 }), fc.nat(12), async (texts, minBytes, cut) => {
        const parts: NewPart[] = [];
        const file = new Map<number, string>();
        const write = (dump: DumpReader) => {
          const whole = createWholeHash();
          for (const { number } of parts) whole.update(Buffer.from(file.get(number) ?? ""));
          const last = parts.at(-1) ?? null;
          const record = (part: NewPart) => void parts.push(part);
          const writer = memoryWriter(minBytes, file);
          return writeParts({ dump, writer, last, whole, room: async () => {}, record }, NEVER).then(() => whole);
        };
        if (cut < texts.length)
          await expect(write(dumpOf(texts, cut))).rejects.toMatchObject({ code: "WORKER_FAILED" });
        const whole = await write(dumpOf(texts));
        const bytes = Buffer.from(texts.join(""));
        expect(parts.map(({ number }) => number)).toEqual(parts.map((_, index) => index + 1));
        expect(parts.map(({ number }) => file.get(number)).join("")).toBe(bytes.toString());
        for (const part of parts) {
          expect(part.sha256).toBe(sha256(Buffer.from(file.get(part.number) ?? "")));
          expect(part.receipt).toBe(`receipt ${part.number}`);
          if (part.next !== null) expect(part.bytes).toBeGreaterThanOrEqual(minBytes);
        }
        expect(parts.at(-1)?.next).toBeNull();
        expect(parts.reduce((sum, { rows }) => sum + rows, 0)).toBe(texts.length);
        expect(whole.digest()).toBe(sha256(bytes));
      }),
    );
  });

  it("never lets a dump that broke off pass for a whole one", async () => {
    const options = { last: null, whole: createWholeHash(), room: async () => {}, record: () => {} };
    const writer = memoryWriter(1, new Map());
    await expect(writeParts({ dump: dumpOf(["a", "b"], 1), writer, ...options }, NEVER)).rejects.toMatchObject({
      code: "WORKER_FAILED",
      retryable: true,
    });
  });

  it("records nothing that comes after a part that failed", async () => {
    const recorded: number[] = [];
    const writer = memoryWriter(1, new Map());
    const failing: ArtifactWriter = {
      ...writer,
      part: (number) => ({
        ...writer.part(number),
        finish: async () => {
          if (number === 2) throw new Error("no");
          return null;
        },
      }),
    };
    const record = ({ number }: NewPart) => void recorded.push(number);
    const rest = { last: null, whole: createWholeHash(), room: async () => {}, record };
    await expect(writeParts({ dump: dumpOf(["a", "b", "c", "d"]), writer: failing, ...rest }, NEVER)).rejects.toThrow(
      "no",
    );
    expect(recorded).toEqual([1]);
  });
});
