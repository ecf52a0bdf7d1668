import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { ConfigurationError } from "../../../src/errors.js";
import { parseExportSettings } from "../../../src/exports/export-settings.js";
import { createExports } from "../../../src/exports/index.js";

const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;

/** The mistakes that these options have, beside a good database and folder. */
function mistakes(options: object): readonly string[] {
  try {
    createExports({ database: "shop.db", dir: "exports", ...options } as never);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.mistakes;
    throw error;
  }
  return [];
}

describe("the options of createExports", () => {
  it("are filled in as documented", () => {
    expect(parseExportSettings({ database: "shop.db", dir: "exports" })).toEqual({
      engine: {
        database: resolve("shop.db"),
        dir: resolve("exports"),
        except: [],
        concurrency: 2,
        maxQueuedJobs: 100,
        minFreeBytes: 268_435_456,
        maxDiskBytes: null,
        retentionSeconds: 604_800,
        callbacks: null,
      },
      maxStreams: 4,
      streamStallMs: 60_000,
      maxStreamMs: 3_600_000,
      onProgress: undefined,
    });
    const { engine } = parseExportSettings({ database: "a", dir: "b", callbacks: { secret: SECRET } });
    expect(engine.callbacks).toEqual({ secrets: [SECRET], allowPrivate: false, giveUpAfterSeconds: 259_200 });
  });

  it("take all that is allowed, and are not kept by reference", () => {
    const except = ["logs"];
    const s3 = { bucket: "b", prefix: "exports/", endpoint: "http://127.0.0.1:9000", region: "eu-central-1" };
    const keys = { accessKeyId: "a", secretAccessKey: "s", sessionToken: "t", forcePathStyle: false };
    const options = { database: "a", dir: "b", except, s3: { ...s3, ...keys }, maxDiskBytes: 1, minFreeBytes: 0 };
    const { engine } = parseExportSettings({ ...options, callbacks: { secret: [SECRET, SECRET], allowPrivate: true } });
    except.push("later");
    expect(engine).toMatchObject({ except: ["logs"], s3: { ...s3, ...keys }, maxDiskBytes: 1, minFreeBytes: 0 });
    expect(engine.callbacks?.secrets).toEqual([SECRET, SECRET]);
  });

  it("are told every mistake at once", () => {
    const all = mistakes({ database: "", dir: 5, concurency: 2, maxStreams: 0, except: "logs", onProgress: 1 });
    expect(all).toEqual([
      expect.stringMatching(/^unknown option "concurency": did you mean "concurrency"\?$/),
      expect.stringMatching(/^database must be the path/),
      expect.stringMatching(/^dir must be the path/),
      expect.stringMatching(/^except must be a list/),
      "maxStreams must be a whole number of streams from 1 to 100, got 0",
      "onProgress must be a function, got 1",
    ]);
    expect(() => createExports(null as never)).toThrow(/must be an object/);
    expect(() => createExports([] as never)).toThrow(/must be an object/);
  });

  it.each([
    ["concurrency", 0, 33],
    ["maxQueuedJobs", -1, 100_001],
    ["maxStreams", 0, 101],
    ["streamStallSeconds", 0, 86_401],
    ["maxDiskBytes", 0, 2 ** 53],
    ["minFreeBytes", -1, 2 ** 53],
    ["retentionSeconds", 0, 315_360_001],
  ])("refuse %s out of its range, and what is no whole number", (name, low, high) => {
    for (const value of [low, high, 1.5, Number.NaN, Infinity, "5", null, {}])
      expect([value, mistakes({ [name]: value })]).toEqual([
        value,
        [expect.stringMatching(`^${name} must be a whole`)],
      ]);
    expect(mistakes({ [name]: low + 1 })).toEqual([]);
    expect(mistakes({ [name]: high - 1 })).toEqual([]);
    expect(mistakes({ [name]: undefined })).toEqual([]);
  });

  it("keep database and folder apart", () => {
    for (const database of [
      "exports",
      "./exports/",
      "exports/exports.db",
      "exports/exports.db-wal",
      "exports/exports.db.lock",
      "exports/work/job/snapshot.db",
      "exports/../exports/files/a.sql",
      "exports/streams/x",
    ])
      expect([database, mistakes({ database })]).toEqual([database, [expect.stringMatching(/folder of its own$/)]]);
    expect(mistakes({ database: "data", dir: "data/exports" })).toEqual([expect.stringMatching(/^dir must not lie/)]);
    for (const database of [":memory:", "a\0b"]) expect(mistakes({ database })).toHaveLength(1);
    for (const database of ["exports/shop.db", "exports/files-2024.db", "exports/streams-old/shop.db"])
      expect([database, mistakes({ database })]).toEqual([database, []]);
    expect(mistakes({ database: "exports.db", dir: "." })).toHaveLength(1);
  });

  it.each([
    ["a text", "bucket"],
    ["no bucket", {}],
    ["a bucket that is a path", { bucket: "a/../b" }],
    ["an unknown field", { bucket: "b", endpiont: "http://x" }],
    ["a key without its secret", { bucket: "b", accessKeyId: "AK" }],
    ["a session without its key", { bucket: "b", sessionToken: "t" }],
    ["an empty secret", { bucket: "b", accessKeyId: "AK", secretAccessKey: "" }],
    ["a prefix with a slash in front", { bucket: "b", prefix: "/x" }],
    ["a prefix that goes up", { bucket: "b", prefix: "a/../b" }],
    ["a prefix too long for a key", { bucket: "b", prefix: "x".repeat(1_000) }],
    ["an endpoint of another kind", { bucket: "b", endpoint: "s3://b" }],
    ["an endpoint without a scheme", { bucket: "b", endpoint: "localhost:9000" }],
    ["a region that is none", { bucket: "b", region: "eu central" }],
    ["a style that is neither", { bucket: "b", forcePathStyle: "yes" }],
  ])("refuse s3 with %s", (_, s3) => {
    expect(mistakes({ s3 })).toEqual([expect.stringMatching(/s3/)]);
  });

  it("show no secret, no credentials and no query", () => {
    const told = [
      ...mistakes({ s3: { bucket: "b", endpoint: "http://user:hunter2@host/?k=hunter2", secretAccessKey: "hunter2" } }),
      ...mistakes({ s3: "hunter2" as never }),
      ...mistakes({ callbacks: "whsec_hunter2" as never }),
      ...mistakes({ callbacks: { secret: "hunter2" } }),
      ...mistakes({ callbacks: { secret: ["whsec_hunter2", { hunter2: 1 }] } }),
      ...mistakes({ callbacks: "hunter2://hunter2" }),
    ].join("\n");
    expect(told).toMatch(/s3\.endpoint[\s\S]*callbacks\.secret must[\s\S]*callbacks\.secret\[1\]/);
    expect(told).not.toContain("hunter2");
  });

  it.each([
    ["nothing", null],
    ["a list", []],
    ["no secret", {}],
    ["an empty list of secrets", { secret: [] }],
    ["a short secret", { secret: `whsec_${Buffer.alloc(8).toString("base64")}` }],
    ["an unknown field", { secret: SECRET, allowPrivates: true }],
    ["a word for true", { secret: SECRET, allowPrivate: "true" }],
    ["a time that is none", { secret: SECRET, giveUpAfterSeconds: -1 }],
  ])("refuse callbacks with %s", (_, callbacks) => {
    expect(mistakes({ callbacks })).toEqual([expect.stringMatching(/callbacks/)]);
  });
});
