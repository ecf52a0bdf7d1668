import { type SeededRandom, seededRandom } from "./seeded-random.js";

/** Prints the seed, which `STARFISH_TEST_SEED` repeats. */
export function announceSeed(what: string): SeededRandom {
  const seed = Number(process.env.STARFISH_TEST_SEED ?? Date.now() % 2 ** 31);
  process.stdout.write(`${what}: STARFISH_TEST_SEED=${seed}\n`);
  return seededRandom(seed);
}
