import type { DemoClient } from "./demo-client.js";

/** Who writes at the replica. */
export interface Shop {
  /** @returns how many it has sold */
  sell(): Promise<number>;
  note(text: string): Promise<void>;
}

/** A shop that writes with the given client of the replica. */
export function createShop(atReplica: DemoClient): Shop {
  let sold = 0;
  // Nobody can read this collection here: its writer remembers what it wrote, and writes one after the other.
  let hash: string | null = null;
  let selling: Promise<unknown> = Promise.resolve();
  const sell = async (): Promise<number> => {
    const answer = await atReplica.push("sales", { sold: sold + 1 }, hash);
    if (answer.hash === null) throw new Error(`writing sales was answered ${answer.status}`);
    hash = answer.hash;
    sold += 1;
    return sold;
  };
  return {
    sell() {
      const sale = selling.then(sell);
      selling = sale.catch(() => {});
      return sale;
    },
    async note(text) {
      await atReplica.update("notes", (notes) => ({ ...notes, shop: text }));
    },
  };
}
