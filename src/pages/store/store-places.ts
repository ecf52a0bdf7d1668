import { randomBytes } from "node:crypto";
import { join } from "node:path";

const ID = /^[A-Za-z0-9_-]{1,128}$/;
const VERSION = /^([1-9][0-9]{0,14})\.(.+)$/;

/** Where the files of one database are. */
export interface DatabasePlaces {
  readonly folder: string;
  readonly link: string;
  /** Of pushes: what is not whole yet. */
  readonly staging: string;
  file(generation: number): string;
  /** @param unit where these are not pages of the database's own size */
  hashes(generation: number, unit?: number): string;
  /** A name in `staging` that nobody has. */
  unfinished(): string;
}

export interface StorePlaces {
  readonly dir: string;
  readonly databases: string;
  readonly staging: string;
  of(id: string): DatabasePlaces;
}

export function storePlaces(dir: string): StorePlaces {
  const databases = join(dir, "databases");
  const stagings = join(dir, "staging");
  return {
    dir,
    databases,
    staging: stagings,
    of(id) {
      if (!isDatabaseId(id)) throw new RangeError("not an id");
      const folder = join(databases, id);
      const staging = join(stagings, id);
      return {
        folder,
        staging,
        link: join(databases, `${id}.db`),
        file: (generation) => join(folder, `${generation}.db`),
        hashes: (generation, unit) =>
          join(folder, unit === undefined ? `${generation}.hashes` : `${generation}.${unit}.hashes`),
        unfinished: () => join(staging, `${newName()}.tmp`),
      };
    },
  };
}

export function isDatabaseId(id: string): boolean {
  return ID.test(id);
}

/** The generation that a file in a database's folder belongs to, and the rest of its name; `null` for what is not ours. */
export function parseVersionName(name: string): { readonly generation: number; readonly rest: string } | null {
  const match = VERSION.exec(name);
  const generation = Number(match?.[1]);
  if (match?.[2] === undefined || !/^(db(-wal|-shm|-journal)?|([0-9]+\.)?hashes)$/.test(match[2])) return null;
  return { generation, rest: match[2] };
}

/** Letters and digits that nobody else has. */
function newName(): string {
  return randomBytes(12).toString("hex");
}
