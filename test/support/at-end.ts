type Cleanup = () => unknown;

const atEndOfFile: Cleanup[] = [];

// Outside vitest (a benchmark, a child process) there is no end of a test: callers there stop what they start themselves.
const vitest = process.env.VITEST === undefined ? undefined : await import("vitest");

// Registered while the test file is collected, since importing this module is part of that.
vitest?.afterAll(async () => {
  for (const cleanup of atEndOfFile.splice(0).reverse()) await cleanup();
});

/**
 * Runs `cleanup` when the current test (or its `beforeEach`) ends, last registered first; called from `beforeAll` or at the top of a
 * file, when the file ends. Outside vitest it does nothing. Cleanups must be safe to run twice. Not for `it.concurrent`: vitest cannot
 * tell there which test is asking.
 */
export function atEnd(cleanup: Cleanup): void {
  if (vitest === undefined) return;
  try {
    vitest.onTestFinished(async () => {
      await cleanup();
    });
  } catch {
    // No test is running.
    atEndOfFile.push(cleanup);
  }
}
