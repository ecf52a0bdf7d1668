import { CustomObjectStore, type ObjectStore } from "@drakkar.software/starfish-server";

/** A store whose process can die: what was written stays, and from then on nothing is answered. */
export interface DyingStore {
  readonly store: ObjectStore;
  /** Completed writes so far, puts and deletions. */
  readonly writes: number;
  readonly dead: boolean;
}

interface DyingStoreOptions {
  /** The process dies right after this many writes. Default: never. */
  readonly after?: number;
  /** `crash`: every later call rejects. `error`: only the report of that one write is lost, and the process goes on. Default `crash`. */
  readonly how?: "crash" | "error";
  /** The write does not happen, instead of happening without its report. Default `false`. */
  readonly lost?: boolean;
  /** Told of each write before it counts, so that something may happen right after it. */
  readonly onWrite?: (key: string) => unknown;
}

/** Delegates to the values in `data`, which is what a new process finds. */
export function dyingStore(data: Map<string, string>, options: DyingStoreOptions = {}): DyingStore {
  const { after = Number.POSITIVE_INFINITY, how = "crash", lost = false, onWrite } = options;
  let writes = 0;
  let dead = false;
  const alive = () => {
    if (dead) throw new Error("the process is dead");
  };
  const write = async (key: string, work: () => void) => {
    alive();
    writes += 1;
    const isLast = writes === after;
    if (!(isLast && lost)) work();
    await onWrite?.(key);
    if (!isLast) return alive();
    dead = how === "crash";
    throw new Error("the process dies in this write");
  };
  return {
    store: new CustomObjectStore({
      onGet: async (key) => {
        alive();
        // A write or a deletion of another caller may get in here.
        await null;
        return data.get(key) ?? null;
      },
      onPut: (key, body) => write(key, () => data.set(key, body)),
      onDelete: (key) => write(key, () => data.delete(key)),
    }),
    get writes() {
      return writes;
    },
    get dead() {
      return dead;
    },
  };
}
