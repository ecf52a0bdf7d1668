import { CustomObjectStore, type ObjectStore } from "@drakkar.software/starfish-server";

/** The store of one process over values that outlive it. */
export interface MortalStore {
  readonly store: ObjectStore;
  readonly dead: boolean;
  /** The process is gone: nothing is read or written any more. */
  die(): void;
}

/** Dies by itself in its `after`-th write, which has happened then unless it is `lost`. */
export function mortalStore(
  data: Map<string, string>,
  { after, lost }: { after: number; lost: boolean } = { after: Number.POSITIVE_INFINITY, lost: false },
): MortalStore {
  let writes = 0;
  let dead = false;
  const alive = () => {
    if (dead) throw new Error("the process is dead");
  };
  const write = async (work: () => void) => {
    alive();
    writes += 1;
    if (writes < after) return work();
    if (!lost) work();
    dead = true;
    return alive();
  };
  return {
    store: new CustomObjectStore({
      async onGet(key) {
        alive();
        await null;
        return data.get(key) ?? null;
      },
      onPut: (key, body) => write(() => data.set(key, body)),
      onDelete: (key) => write(() => data.delete(key)),
    }),
    get dead() {
      return dead;
    },
    die() {
      dead = true;
    },
  };
}
