/** The value below which the share `p` of the values lies; between two of them, in proportion. */
export function quantile(values, p) {
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * p;
  const below = Math.floor(place);
  const low = sorted[below] ?? Number.NaN;
  return low + ((sorted[below + 1] ?? low) - low) * (place - below);
}

export function median(values) {
  return quantile(values, 0.5);
}
