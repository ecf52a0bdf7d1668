import { join, resolve, sep } from "node:path";
import { suggestion } from "../config/nearest-name.js";
import { showValue } from "../config/show-value.js";
import { ConfigurationError } from "../errors.js";
import { callbackMistakes } from "./callback-mistakes.js";
import type { ExportsOptions } from "./exports-options.js";
import type { EngineOptions } from "./jobs/export-engine.js";
import { s3Mistakes } from "./s3-mistakes.js";

/** Options with their defaults filled in. */
export interface ExportSettings {
  readonly engine: EngineOptions;
  readonly maxStreams: number;
  readonly streamStallMs: number;
  readonly maxStreamMs: number;
  readonly onProgress: ExportsOptions["onProgress"];
}

type Numbers =
  | "concurrency"
  | "maxQueuedJobs"
  | "maxStreams"
  | "streamStallSeconds"
  | "maxStreamSeconds"
  | "maxDiskBytes"
  | "minFreeBytes"
  | "retentionSeconds";

const MAX_BYTES = Number.MAX_SAFE_INTEGER;
/** Lowest and highest value of every whole number, and its unit. */
const RANGES: Readonly<Record<Numbers, readonly [min: number, max: number, unit: string]>> = {
  concurrency: [1, 32, "jobs"],
  maxQueuedJobs: [0, 100_000, "jobs"],
  maxStreams: [1, 100, "streams"],
  streamStallSeconds: [1, 86_400, "seconds"],
  maxStreamSeconds: [1, 1_209_600, "seconds"],
  maxDiskBytes: [1, MAX_BYTES, "bytes"],
  minFreeBytes: [0, MAX_BYTES, "bytes"],
  retentionSeconds: [1, 315_360_000, "seconds"],
};
const KNOWN: Readonly<Record<keyof ExportsOptions, true>> = {
  database: true,
  dir: true,
  s3: true,
  except: true,
  callbacks: true,
  concurrency: true,
  maxQueuedJobs: true,
  maxStreams: true,
  streamStallSeconds: true,
  maxStreamSeconds: true,
  maxDiskBytes: true,
  minFreeBytes: true,
  retentionSeconds: true,
  onProgress: true,
};

const WEEK_SECONDS = 604_800;
const THREE_DAYS_SECONDS = 259_200;

/**
 * Checks options that may come from JavaScript or a file.
 * @throws ConfigurationError with every mistake at once
 */
export function parseExportSettings(options: ExportsOptions): ExportSettings {
  if (!isRecord(options)) throw new ConfigurationError(["the options of createExports must be an object"]);
  const mistakes = [
    ...unknownMistakes(options),
    ...pathMistakes(options),
    ...s3Mistakes(options.s3),
    ...exceptMistakes(options.except),
    ...callbackMistakes(options.callbacks),
    ...numberMistakes(options),
  ];
  const { onProgress, callbacks, s3 } = options;
  if (onProgress !== undefined && typeof onProgress !== "function")
    mistakes.push(`onProgress must be a function, got ${showValue(onProgress)}`);
  if (mistakes.length > 0) throw new ConfigurationError(mistakes);
  return {
    engine: {
      database: resolve(options.database),
      dir: resolve(options.dir),
      except: [...(options.except ?? [])],
      concurrency: options.concurrency ?? 2,
      maxQueuedJobs: options.maxQueuedJobs ?? 100,
      minFreeBytes: options.minFreeBytes ?? 256 * 1024 * 1024,
      maxDiskBytes: options.maxDiskBytes ?? null,
      retentionSeconds: options.retentionSeconds ?? WEEK_SECONDS,
      ...(s3 !== undefined && { s3: { ...s3 } }),
      callbacks:
        callbacks === undefined
          ? null
          : {
              secrets: typeof callbacks.secret === "string" ? [callbacks.secret] : [...callbacks.secret],
              allowPrivate: callbacks.allowPrivate ?? false,
              giveUpAfterSeconds: callbacks.giveUpAfterSeconds ?? THREE_DAYS_SECONDS,
            },
    },
    maxStreams: options.maxStreams ?? 4,
    streamStallMs: (options.streamStallSeconds ?? 60) * 1_000,
    maxStreamMs: (options.maxStreamSeconds ?? 3_600) * 1_000,
    onProgress,
  };
}

function unknownMistakes(options: object): string[] {
  const known = Object.keys(KNOWN);
  return Object.keys(options)
    .filter((key) => !known.includes(key))
    .map((key) => `unknown option "${key}": ${suggestion(key, known)}`);
}

function pathMistakes({ database, dir }: ExportsOptions): string[] {
  const mistakes: string[] = [];
  if (!isPath(database) || database === ":memory:")
    mistakes.push('database must be the path of the SQLite file that is exported, for instance "./data/replica.db"');
  if (!isPath(dir)) mistakes.push('dir must be the path of a folder of its own, for instance "./data/exports"');
  if (mistakes.length > 0) return mistakes;
  const file = resolve(database);
  const folder = resolve(dir);
  if (file === folder) return ["dir must not be the database itself: give exports a folder of its own"];
  if (`${folder}${sep}`.startsWith(`${file}${sep}`)) return ["dir must not lie below the database, which is a file"];
  // Its files are replaced and swept by us.
  const folders = ["work", "files", "streams"].map((name) => join(folder, name));
  // With what stands beside the books: the log, the lock.
  const isOurs =
    file.startsWith(join(folder, "exports.db")) || folders.some((path) => `${file}${sep}`.startsWith(`${path}${sep}`));
  if (isOurs) return ["database must not be a file that exports keep in dir: give exports a folder of its own"];
  return [];
}

function exceptMistakes(except: unknown): string[] {
  if (except === undefined) return [];
  if (!Array.isArray(except)) return [`except must be a list of names of tables, got ${showValue(except)}`];
  return except.flatMap((name, index) =>
    typeof name === "string" ? [] : [`except[${index}] must be the name of a table, got ${showValue(name)}`],
  );
}

function numberMistakes(options: ExportsOptions): string[] {
  return (Object.keys(RANGES) as Numbers[]).flatMap((name) => {
    const value: unknown = options[name];
    const [min, max, unit] = RANGES[name];
    if (value === undefined || (Number.isInteger(value) && Number(value) >= min && Number(value) <= max)) return [];
    return [`${name} must be a whole number of ${unit} from ${min} to ${max}, got ${showValue(value)}`];
  });
}

function isPath(value: unknown): value is string {
  return typeof value === "string" && value !== "" && !value.includes("\0");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
