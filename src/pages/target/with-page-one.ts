import type { PageSource } from "../source/page-source.js";

/**
 * The same moment with another header: a local file that is unchanged since a sync, as the server has it. Closing it closes `source`.
 * @param pageOneHeader `SyncedVersion.pageOneHeader`; empty for a version without pages
 */
export function withPageOne(source: PageSource, pageOneHeader: Uint8Array): PageSource {
  const { pageSize } = source;
  return {
    pageSize,
    pageCount: pageOneHeader.length === 0 ? 0 : source.pageCount,
    read(startPage, count) {
      const pages = source.read(startPage, count);
      if (startPage !== 1) return pages;
      const changed = new Uint8Array(pages);
      changed.set(pageOneHeader);
      return changed;
    },
    close: () => source.close(),
  };
}
