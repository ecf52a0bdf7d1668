/** Whether both are there and have the same bytes. */
export function sameHash(a: Uint8Array | null, b: Uint8Array | null): boolean {
  if (a === null || b === null) return false;
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
