/**
 * Milliseconds from each write until its document, or a later revision of it, had arrived. What arrived before the writer had its answer
 * counts as 0.
 * @throws on a write that never arrived
 */
export function visibleAfter(writes, arrivals) {
  const byName = new Map();
  for (const arrival of arrivals) byName.set(arrival.name, [...(byName.get(arrival.name) ?? []), arrival]);
  return writes.map(({ name, revision, at }) => {
    const arrived = byName.get(name)?.find((one) => one.revision >= revision);
    if (!arrived) throw new Error(`revision ${revision} of ${name} never arrived`);
    return Math.max(0, arrived.at - at);
  });
}

/** Whether each of the writes, or a later one to its document, has arrived. */
export function hasArrived(writes, arrivals) {
  const newest = new Map(arrivals.map(({ name, revision }) => [name, revision]));
  return writes.every(({ name, revision }) => (newest.get(name) ?? -1) >= revision);
}
