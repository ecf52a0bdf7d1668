import type { PageSource } from "../source/page-source.js";

/**
 * The same moment with other bytes as page 1: a local file that is unchanged since a sync, as the server has it. Closing it closes `source`.
 * @param pageOne `SyncedVersion.pageOne`; empty for a version without pages
 */
export function withPageOne(source: PageSource, pageOne: Uint8Array): PageSource {
  const { pageSize } = source;
  return {
    pageSize,
    pageCount: pageOne.length === 0 ? 0 : source.pageCount,
    read(startPage, count) {
      const pages = source.read(startPage, count);
      if (startPage !== 1) return pages;
      const changed = new Uint8Array(pages);
      changed.set(pageOne);
      return changed;
    },
    close: () => source.close(),
  };
}
