const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** Bytes for people: `512 B`, `1.5 MiB`. Given `total`, `1.5 of 20.0 MiB`. */
export function showBytes(bytes: number, total: number | null = null): string {
  const largest = total ?? bytes;
  const power = largest < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(largest) / 10));
  const inUnit = (value: number): string => (value / 1024 ** power).toFixed(power === 0 ? 0 : 1);
  return `${inUnit(bytes)}${total === null ? "" : ` of ${inUnit(total)}`} ${UNITS[power]}`;
}

/** `0:07`, `12:34`, `3:04:05`. */
export function showDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  const pad = (value: number): string => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(seconds % 60)}` : `${minutes}:${pad(seconds % 60)}`;
}

/** `1 row`, `12,345 rows`. */
export function showCount(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`;
}
