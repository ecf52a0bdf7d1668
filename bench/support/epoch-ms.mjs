/** Now, in milliseconds since 1970 with fractions: comparable between the processes of one machine. */
export function epochMs() {
  return performance.timeOrigin + performance.now();
}
