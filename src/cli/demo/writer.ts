import type { Cluster } from "./cluster.js";
import { repeat } from "./repeat.js";

/**
 * Changes the primary every second, and now and then writes at the replica.
 * @returns ends it
 */
export function startWriter(
  { atPrimary, atReplica }: Pick<Cluster, "atPrimary" | "atReplica">,
  onError: (error: unknown) => void,
): () => Promise<void> {
  let second = 0;
  let sales: string | null = null;
  return repeat(
    1_000,
    async () => {
      second += 1;
      const every = (seconds: number) => second % seconds === 0;
      await atPrimary.update("prices", (prices) => ({ ...prices, revision: second }));
      if (every(3)) await atPrimary.update("notes", (notes) => ({ ...notes, office: `wrote at second ${second}` }));
      if (every(5)) await atPrimary.update("stock", (stock) => ({ ...stock, apples: soldOne(stock.apples) }));
      if (every(2)) {
        // Nobody can read this collection here: its writer remembers what it wrote.
        const { status, hash } = await atReplica.push("sales", { sold: second / 2 }, sales);
        if (hash === null) throw new Error(`writing sales was answered ${status}`);
        sales = hash;
      }
      if (every(7)) await atReplica.update("notes", (notes) => ({ ...notes, shop: `wrote at second ${second}` }));
    },
    onError,
  );
}

function soldOne(count: unknown): number {
  return typeof count === "number" && count > 0 ? count - 1 : 40;
}
