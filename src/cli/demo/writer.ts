import type { Cluster } from "./cluster.js";
import { repeat } from "./repeat.js";
import type { Shop } from "./shop.js";

/**
 * Changes the primary every second, and now and then writes at the replica. While the primary is stopped nobody writes but who presses keys.
 * @returns ends it
 */
export function startWriter(
  { primary, atPrimary }: Pick<Cluster, "primary" | "atPrimary">,
  shop: Shop,
  onError: (error: unknown) => void,
): () => Promise<void> {
  let second = 0;
  return repeat(
    1_000,
    async () => {
      if (!primary.running) return;
      second += 1;
      const every = (seconds: number) => second % seconds === 0;
      await atPrimary.update("prices", (prices) => ({ ...prices, revision: second }));
      if (every(3)) await atPrimary.update("notes", (notes) => ({ ...notes, office: `wrote at second ${second}` }));
      if (every(5)) await atPrimary.update("stock", (stock) => ({ ...stock, apples: soldOne(stock.apples) }));
      if (every(2)) await shop.sell();
      if (every(7)) await shop.note(`wrote at second ${second}`);
    },
    // Stopped in the middle of a write.
    (error) => primary.running && onError(error),
  );
}

function soldOne(count: unknown): number {
  return typeof count === "number" && count > 0 ? count - 1 : 40;
}
