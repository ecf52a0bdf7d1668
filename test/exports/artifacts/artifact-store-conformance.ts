import { describe, expect, it } from "vitest";
import type {
  ArtifactStore,
  ArtifactTicket,
  ArtifactWriter,
  StoredPart,
} from "../../../src/exports/artifacts/artifact-store.js";
import { size } from "../../support/size.js";
import { readAll, someBytes, storedPart, writePart } from "./written-artifact.js";

/** A place that keeps artifacts, and what the tests do to it behind the store's back. */
export interface StoreUnderTest {
  /** Another store over the same place, as a process has it that was started after a crash. Closed by the test. */
  open(): Promise<ArtifactStore>;
  /** Everything that is there: half files, uploads, finished files. */
  contents(): Promise<string[]>;
  /** Changes the bytes of a finished part. */
  spoil(ticket: ArtifactTicket, part: StoredPart): Promise<void>;
  /** Takes everything of an unfinished artifact away. */
  lose(ticket: ArtifactTicket): Promise<void>;
  /** What a part that is not the last must have. */
  readonly partBytes: number;
}

const ENDLESS = new AbortController().signal;

/** What every {@link ArtifactStore} does. `create` is called once per test. */
export function registerArtifactStoreTests(name: string, create: () => Promise<StoreUnderTest>): void {
  const job = (id: string) => ({ id, fileName: `main-2026-01-31.sql`, mediaType: "application/sql" });

  const begun = async (id = "job-1") => {
    const place = await create();
    const store = await place.open();
    const ticket = await store.begin(job(id));
    return { place, store, ticket, parts: (count: number) => makeParts(place, count) };
  };
  /** Three: the last shorter than parts have to be. */
  const makeParts = (place: StoreUnderTest, count: number) =>
    Array.from({ length: count }, (_, i) => someBytes(i + 1, i + 1 === count ? 1000 : place.partBytes + i));
  const mustResume = async (store: ArtifactStore, ticket: ArtifactTicket, parts: readonly StoredPart[]) => {
    const writer = await store.resume(ticket, parts, () => {});
    if (writer === null) throw new Error("the parts are not what they were");
    return writer;
  };
  const writeAll = async (
    writer: ArtifactWriter,
    texts: readonly Uint8Array[],
    already: readonly StoredPart[] = [],
  ) => {
    const stored = [...already];
    for (const [index, bytes] of texts.entries()) {
      if (index >= already.length) stored.push(await writePart(writer, index + 1, bytes));
    }
    return stored;
  };

  describe(`ArtifactStore: ${name}`, () => {
    it("gives back what was written, as a whole and in pieces", async () => {
      const { store, ticket, parts } = await begun();
      const texts = parts(3);
      const writer = await mustResume(store, ticket, []);
      const location = await writer.complete(await writeAll(writer, texts));
      await writer.close();
      const whole = Buffer.concat(texts);
      expect((await readAll(store, location)).equals(whole)).toBe(true);
      const edge = texts[0]?.byteLength ?? 0;
      for (const [start, end] of [
        [0, 0],
        [edge - 3, edge + 3],
        [whole.byteLength - 1, whole.byteLength - 1],
        [1, whole.byteLength - 1],
      ] as const) {
        expect((await readAll(store, location, { start, end })).equals(whole.subarray(start, end + 1))).toBe(true);
      }
      for await (const piece of store.read(location, null, ENDLESS)) {
        expect(piece.byteLength).toBeLessThanOrEqual(1024 * 1024);
      }
    });

    it.each([0, 1, 2, 3, 4, 5, 6, 7])("ends at the same file after a crash at point %i", async (point) => {
      const { place, store, ticket, parts } = await begun();
      const texts = parts(3);
      const recorded: StoredPart[] = [];
      const crashing = await mustResume(store, ticket, []);
      if (point >= 1) recorded.push(await writePart(crashing, 1, texts[0] as Uint8Array));
      // Half of the second part, then all of it without a word in the books, then with one.
      if (point === 2) await crashing.part(2).write((texts[1] as Uint8Array).slice(0, 100_000));
      if (point === 3) await writePart(crashing, 2, texts[1] as Uint8Array);
      if (point >= 4) recorded.push(await writePart(crashing, 2, texts[1] as Uint8Array));
      if (point === 5) await writePart(crashing, 3, someBytes(99, 5000));
      if (point >= 6) recorded.push(await writePart(crashing, 3, texts[2] as Uint8Array));
      const first = point === 7 ? await crashing.complete(recorded) : null;

      const after = await place.open();
      const writer = await mustResume(after, ticket, recorded);
      const location = await writer.complete(await writeAll(writer, texts, recorded));
      if (first !== null) expect(location).toBe(first);
      expect((await readAll(after, location)).equals(Buffer.concat(texts))).toBe(true);
      await writer.close();
      await crashing.close();
      expect(await place.contents()).toHaveLength(1);
    });

    it("reads again exactly the parts that were recorded, where it rereads", async () => {
      const { place, store, ticket, parts } = await begun();
      const texts = parts(3);
      const writer = await mustResume(store, ticket, []);
      const stored = await writeAll(writer, texts);
      await writer.close();
      const seen: Uint8Array[] = [];
      const again = await (await place.open()).resume(ticket, stored.slice(0, 2), (bytes) => seen.push(bytes.slice()));
      await again?.close();
      const expected = store.rereads ? Buffer.concat(texts.slice(0, 2)) : Buffer.alloc(0);
      expect(Buffer.concat(seen).equals(expected)).toBe(true);
    });

    it("leaves what the reader of the bytes throws as it is", async () => {
      const { place, store, ticket, parts } = await begun();
      const writer = await mustResume(store, ticket, []);
      const stored = await writeAll(writer, parts(1));
      await writer.close();
      const reason = new DOMException("enough", "AbortError");
      const again = (await place.open()).resume(ticket, stored, () => {
        throw reason;
      });
      if (store.rereads) await expect(again).rejects.toBe(reason);
      else await (await again)?.close();
    });

    it("cuts off what lies beyond the recorded parts", async () => {
      const { place, store, ticket, parts } = await begun();
      const texts = parts(3);
      const writer = await mustResume(store, ticket, []);
      const stored = await writeAll(writer, texts);
      await writer.close();
      const after = await place.open();
      const again = await mustResume(after, ticket, stored.slice(0, 1));
      const location = await again.complete(stored.slice(0, 1));
      await again.close();
      expect((await readAll(after, location)).equals(texts[0] as Uint8Array)).toBe(true);
    });

    it.each([1, 2])("does not go on where recorded part %i has other bytes", async (number) => {
      const { place, store, ticket, parts } = await begun();
      const writer = await mustResume(store, ticket, []);
      const stored = await writeAll(writer, parts(2));
      await writer.close();
      await place.spoil(ticket, stored[number - 1] as StoredPart);
      expect(await (await place.open()).resume(ticket, stored, () => {})).toBeNull();
    });

    it("does not go on where a recorded part never was, or everything is lost", async () => {
      const { place, store, ticket, parts } = await begun();
      const texts = parts(2);
      const writer = await mustResume(store, ticket, []);
      const first = await writePart(writer, 1, texts[0] as Uint8Array);
      await writer.close();
      const invented = storedPart(2, texts[1] as Uint8Array, first.receipt);
      expect(await store.resume(ticket, [first, invented], () => {})).toBeNull();
      await place.lose(ticket);
      expect(await store.resume(ticket, [first], () => {})).toBeNull();
    });

    it("does not go on with another store's ticket, misses another store's file, and removes neither", async () => {
      const { place, store, ticket } = await begun();
      for (const foreign of ["../../etc/passwd", '{"kind":"other"}', "[]", "null", "a/b"]) {
        expect(await store.resume(foreign, [], () => {})).toBeNull();
        await expect(readAll(store, foreign)).rejects.toMatchObject({ code: "ARTIFACT_MISSING" });
        await store.remove(foreign, foreign);
      }
      expect(await place.contents()).toHaveLength(1);
      await store.remove(ticket, null);
    });

    it("completes as often as it is asked to, by one writer or another", async () => {
      const { place, store, ticket, parts } = await begun();
      const texts = parts(2);
      const writer = await mustResume(store, ticket, []);
      const stored = await writeAll(writer, texts);
      const location = await writer.complete(stored);
      expect(await writer.complete(stored)).toBe(location);
      await writer.close();
      for (let i = 0; i < 2; i += 1) {
        const after = await place.open();
        const again = await mustResume(after, ticket, stored);
        expect(await again.complete(stored)).toBe(location);
        await again.close();
        expect((await readAll(after, location)).equals(Buffer.concat(texts))).toBe(true);
      }
    });

    it("goes back to no finished file that has other parts", async () => {
      const { place, store, ticket, parts } = await begun();
      const writer = await mustResume(store, ticket, []);
      const stored = await writeAll(writer, parts(2));
      await writer.complete(stored);
      await writer.close();
      expect(await (await place.open()).resume(ticket, stored.slice(0, 1), () => {})).toBeNull();
    });

    it.each([
      ["no parts", []],
      ["one empty part", [0]],
      ["one byte", [1]],
      ["a byte after an empty part", [0, 1]],
      ["nothing after a byte", [1, 0]],
    ])("keeps an artifact of %s", async (_, lengths) => {
      const { place, store, ticket } = await begun();
      const texts = lengths.map((bytes, i) => someBytes(i + 1, bytes));
      const writer = await mustResume(store, ticket, []);
      const stored = await writeAll(writer, texts);
      const location = await writer.complete(stored);
      await writer.close();
      const after = await place.open();
      const again = await mustResume(after, ticket, stored);
      expect(await again.complete(stored)).toBe(location);
      await again.close();
      expect((await readAll(after, location)).equals(Buffer.concat(texts))).toBe(true);
      await after.remove(ticket, location);
      expect(await place.contents()).toEqual([]);
    });

    it("keeps many parts, one finishing while the next is written", async () => {
      const { store, ticket, parts } = await begun();
      const texts = parts(size({ test: 8, ci: 20, soak: 100 }));
      const writer = await mustResume(store, ticket, []);
      const stored: StoredPart[] = [];
      let finishing: Promise<unknown> = Promise.resolve();
      for (const [index, bytes] of texts.entries()) {
        const sink = writer.part(index + 1);
        await sink.write(bytes.slice(0, 300_000));
        await finishing;
        await sink.write(bytes.slice(300_000));
        finishing = sink.finish().then((receipt) => stored.push(storedPart(index + 1, bytes, receipt)));
      }
      await finishing;
      const location = await writer.complete(stored);
      await writer.close();
      expect((await readAll(store, location)).equals(Buffer.concat(texts))).toBe(true);
    });

    it("keeps two jobs at once apart", async () => {
      const { place, store, ticket, parts } = await begun("job-1");
      const other = await store.begin(job("job-2"));
      const texts = [parts(2), [someBytes(50, place.partBytes), someBytes(51, 77)]];
      const locations = await Promise.all(
        [ticket, other].map(async (each, i) => {
          const writer = await mustResume(store, each, []);
          const location = await writer.complete(await writeAll(writer, texts[i] ?? []));
          await writer.close();
          return location;
        }),
      );
      for (const [i, location] of locations.entries()) {
        expect((await readAll(store, location)).equals(Buffer.concat(texts[i] ?? []))).toBe(true);
      }
      await store.remove(ticket, locations[0] ?? null);
      expect(await place.contents()).toHaveLength(1);
    });

    it("forgets a part that is discarded, and takes another in its place", async () => {
      const { store, ticket, parts } = await begun();
      const texts = parts(2);
      const writer = await mustResume(store, ticket, []);
      const first = await writePart(writer, 1, texts[0] as Uint8Array);
      const dropped = writer.part(2);
      await dropped.write(someBytes(7, 500_000));
      await dropped.discard();
      await dropped.discard();
      const second = await writePart(writer, 2, texts[1] as Uint8Array);
      const location = await writer.complete([first, second]);
      await writer.close();
      await writer.close();
      expect((await readAll(store, location)).equals(Buffer.concat(texts))).toBe(true);
    });

    it("begins anew with nothing left of what was before, also where the ticket was lost", async () => {
      const { place, store, ticket, parts } = await begun();
      const writer = await mustResume(store, ticket, []);
      await writeAll(writer, parts(2));
      await writer.close();
      await store.begin(job("job-1"));
      const third = await store.begin(job("job-1"));
      expect(await place.contents()).toHaveLength(1);
      const again = await mustResume(store, third, []);
      const location = await again.complete(await writeAll(again, parts(1)));
      await again.close();
      await store.begin(job("job-1"));
      await expect(readAll(store, location)).rejects.toMatchObject({ code: "ARTIFACT_MISSING" });
      expect(await place.contents()).toHaveLength(1);
    });

    it.each(["begun", "with a part", "with half a part", "completed", "completed, not recorded"])(
      "removes all of an artifact that is %s, as often as asked",
      async (state) => {
        const { place, store, ticket, parts } = await begun();
        const texts = parts(1);
        let location: string | null = null;
        if (state !== "begun") {
          const writer = await mustResume(store, ticket, []);
          if (state === "with half a part") await writer.part(1).write(texts[0]?.slice(0, 500) ?? new Uint8Array());
          else {
            const stored = await writeAll(writer, texts);
            if (state.startsWith("completed")) location = await writer.complete(stored);
          }
          await writer.close();
        }
        expect(await place.contents()).toHaveLength(1);
        const after = await place.open();
        for (let i = 0; i < 2; i += 1) await after.remove(ticket, state === "completed" ? location : null);
        expect(await place.contents()).toEqual([]);
        if (location !== null) {
          await expect(readAll(after, location)).rejects.toMatchObject({ code: "ARTIFACT_MISSING" });
          await after.remove(null, location);
        }
        expect(await after.resume(ticket, [], () => {})).toBeNull();
        await after.remove(null, null);
      },
    );

    it("lets go of a file whose reader leaves early or is cut short", async () => {
      const { place, store, ticket, parts } = await begun();
      const writer = await mustResume(store, ticket, []);
      const location = await writer.complete(await writeAll(writer, parts(3)));
      await writer.close();
      for (let i = 0; i < 3; i += 1) {
        for await (const piece of store.read(location, null, ENDLESS)) {
          expect(piece.byteLength).toBeGreaterThan(0);
          break;
        }
      }
      const reason = new Error("enough");
      await expect(readAll(store, location, null, AbortSignal.abort(reason))).rejects.toBe(reason);
      const controller = new AbortController();
      const reading = (async () => {
        for await (const piece of store.read(location, null, controller.signal)) {
          expect(piece.byteLength).toBeGreaterThan(0);
          controller.abort(reason);
        }
      })();
      await expect(reading).rejects.toBe(reason);
      await store.remove(ticket, location);
      expect(await place.contents()).toEqual([]);
    });

    it("refuses to write when the writer is closed", async () => {
      const { store, ticket } = await begun();
      const writer = await mustResume(store, ticket, []);
      const sink = writer.part(1);
      await sink.write(someBytes(1, 10));
      await writer.close();
      const late = (async () => {
        await sink.write(someBytes(1, 10));
        await sink.finish();
      })();
      await expect(late).rejects.toMatchObject({ code: "STOPPED" });
    });

    it.each([
      'na\u00efve "quoted"\r\n.sql',
      "../../up.sql",
      "no ending",
      ".sql",
      `${"long".repeat(100)}.ndjson`,
      "x.SQL",
    ])("takes %j for a file's name", async (fileName) => {
      const place = await create();
      const store = await place.open();
      const ticket = await store.begin({ id: "Ab_-9", fileName, mediaType: "application/sql" });
      const writer = await mustResume(store, ticket, []);
      const location = await writer.complete([await writePart(writer, 1, someBytes(1, 10))]);
      await writer.close();
      expect((await readAll(store, location)).byteLength).toBe(10);
      expect((await place.contents()).join()).toMatch(/Ab_-9(\.[a-z]+)?$/);
    });
  });
}
