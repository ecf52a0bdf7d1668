/** How much work a test does per kind of run. `soak` defaults to `ci`, `ci` to `test`. */
export interface Sizes {
  readonly test: number;
  readonly ci?: number;
  readonly soak?: number;
}

/**
 * The size for this run, after `STARFISH_TEST_SIZE`: unset or empty for `test`, `ci` or `soak`. Throws on any other value, so that a
 * typing error never makes a soak run a short one.
 */
export function size(sizes: Sizes): number {
  const run = process.env.STARFISH_TEST_SIZE || "test";
  if (run === "test") return sizes.test;
  if (run === "ci") return sizes.ci ?? sizes.test;
  if (run === "soak") return sizes.soak ?? sizes.ci ?? sizes.test;
  throw new Error(`STARFISH_TEST_SIZE is "${run}"; it must be unset, "test", "ci" or "soak"`);
}

/** Whether this run is one of CI or a soak: for tests that cost much beside others which show about the same. */
export const inCi: boolean = size({ test: 0, ci: 1 }) === 1;
