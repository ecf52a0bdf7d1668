import type { PageSource } from "../source/page-source.js";

/** The same moment cut into units of so many bytes, as a file would be; the last one may be shorter. Closing it closes `source`. */
export function asUnits(source: PageSource, unit: number): PageSource {
  const { pageSize } = source;
  const bytes = source.pageCount * pageSize;
  return {
    pageSize: unit,
    pageCount: Math.ceil(bytes / unit),
    read(startUnit, count) {
      const from = (startUnit - 1) * unit;
      const to = Math.min(from + count * unit, bytes);
      const firstPage = Math.floor(from / pageSize) + 1;
      const lastPage = Math.ceil(to / pageSize);
      const skipped = from - (firstPage - 1) * pageSize;
      return source.read(firstPage, lastPage - firstPage + 1).subarray(skipped, skipped + to - from);
    },
    close: () => source.close(),
  };
}
