import type { ClientEffect } from "./client-session.js";
import { RangeDescent } from "./range-descent.js";

/** Pages whose hashes a plain session sends at once. */
const PLAIN_CHUNK_PAGES = 1024;

/** In which order a client sends its hashes. */
export interface HashPlan {
  /** Whether everything was sent, and answered where answers come. */
  readonly isDone: boolean;
  /** What is to be sent now; nothing: wait for an answer. */
  next(): readonly ClientEffect[];
  /** The peer answered a range. @throws `PAGE_PROTOCOL` where it answers nothing that was asked */
  answered(pageNumbers: readonly number[]): readonly ClientEffect[];
}

/** Ranges first, single pages where they differ. */
export function createRangePlan(lastPage: number): HashPlan {
  const descent = new RangeDescent(lastPage);
  return {
    get isDone() {
      return descent.isDone;
    },
    next: () => descent.next().map((range) => ({ do: "send-range", ...range })),
    answered(pageNumbers) {
      const leaf = descent.answered(pageNumbers);
      return leaf === null ? [] : [{ do: "send-hashes", ...leaf }];
    },
  };
}

/**
 * One hash for each page, as the plain protocol has it, where nothing is answered.
 * @param barriers wait after each chunk until the peer has read it: in a push, so that what it asks for does not pile up here, and before `complete`
 */
export function createSinglePlan(lastPage: number, barriers: boolean): HashPlan {
  let sent = 0;
  return {
    get isDone() {
      return sent >= lastPage;
    },
    next() {
      const startPage = sent + 1;
      const endPage = Math.min(sent + PLAIN_CHUNK_PAGES, lastPage);
      sent = endPage;
      const hashes: ClientEffect = { do: "send-hashes", startPage, endPage };
      return barriers ? [hashes, { do: "barrier" }] : [hashes];
    },
    answered: () => [],
  };
}
