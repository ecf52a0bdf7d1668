/** Repeats `work`, each time awaited, for about `seconds`. Gives how often, per second. */
export async function ratePerSecond(work, seconds) {
  const start = performance.now();
  const end = start + seconds * 1000;
  let count = 0;
  let now = start;
  while (now < end) {
    await work();
    count += 1;
    now = performance.now();
  }
  return { perSecond: (count * 1000) / (now - start), count };
}

/** Milliseconds that `work` takes. */
export async function elapsedMs(work) {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
