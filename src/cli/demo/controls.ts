import type { DemoPrimary } from "./demo-primary.js";
import type { Shop } from "./shop.js";

/** What whoever watches can do. */
export interface Controls {
  /** What each key does: one after the other, however fast they are pressed. */
  readonly press: { readonly p: () => void; readonly w: () => void };
  /** What the last key has done, or "". */
  readonly news: string;
}

/** `p` stops the primary and starts it again, `w` writes at the replica. */
export function createControls(primary: DemoPrimary, shop: Shop, onError: (error: unknown) => void): Controls {
  let news = "";
  let doing: Promise<void> = Promise.resolve();
  const inTurn = (work: () => Promise<void>) => () => {
    doing = doing.then(work).catch(onError);
  };
  return {
    press: {
      p: inTurn(async () => {
        news = "";
        await (primary.running ? primary.stop() : primary.start());
      }),
      w: inTurn(async () => {
        const time = new Date().toTimeString().slice(0, 8);
        const [sold] = await Promise.all([shop.sell(), shop.note(`you wrote at ${time}`)]);
        news = `you wrote a note and sale ${sold}: the replica has stored both`;
      }),
    },
    get news() {
      return news;
    },
  };
}
