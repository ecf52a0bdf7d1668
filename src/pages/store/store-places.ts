import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { isDatabaseId } from "./store-names.js";

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

/** Letters and digits that nobody else has. */
function newName(): string {
  return randomBytes(12).toString("hex");
}
