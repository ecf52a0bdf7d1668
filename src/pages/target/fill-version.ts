import { setImmediate as yieldTurn } from "node:timers/promises";
import { ReplicaError } from "../../errors.js";
import type { PageSource } from "../source/page-source.js";
import type { FinishOptions, PutVersion } from "./put-version.js";

const STEP_BYTES = 4 * 1024 * 1024;

/**
 * Takes what was not put from the source.
 * @returns bytes of the whole
 * @throws `INTEGRITY_FAILED` where neither has a page
 */
export async function fillVersion(put: PutVersion, { signal, onProgress }: FinishOptions): Promise<number> {
  const { unit, unitCount, source } = put;
  const sourceBytes = source === null ? 0 : source.pageSize * source.pageCount;
  const perStep = Math.max(1, Math.floor(STEP_BYTES / unit));
  let lastBytes = put.lastBytes ?? 0;
  for (let pageNo = 1; pageNo <= unitCount; ) {
    const end = runEnd(put, pageNo, Math.min(unitCount, pageNo + perStep - 1));
    if (!put.isPut(pageNo)) {
      const at = (pageNo - 1) * unit;
      const isToTheEnd = end === unitCount;
      const bytes = Math.min(sourceBytes - at, (end - pageNo + 1) * unit);
      // Of the pages that are missing only the very last one may be shorter.
      const least = isToTheEnd ? (end - pageNo) * unit + 1 : (end - pageNo + 1) * unit;
      if (source === null || bytes < least)
        throw missing(Math.max(pageNo, Math.floor(sourceBytes / unit) + 1), unitCount);
      put.write(readBytes(source, at, bytes), at);
      if (isToTheEnd) lastBytes = bytes - (end - pageNo) * unit;
    }
    pageNo = end + 1;
    signal?.throwIfAborted();
    onProgress?.({ phase: "writing", pagesDone: end, pagesTotal: unitCount, pageSize: unit });
    await yieldTurn();
  }
  return unitCount === 0 ? 0 : (unitCount - 1) * unit + lastBytes;
}

/** The last page of those from this one on that were all put, or all not. */
function runEnd(put: PutVersion, start: number, most: number): number {
  const isPut = put.isPut(start);
  let end = start;
  while (end < most && put.isPut(end + 1) === isPut) end++;
  return end;
}

function readBytes(source: PageSource, at: number, length: number): Uint8Array {
  const { pageSize } = source;
  const first = Math.floor(at / pageSize);
  const end = Math.ceil((at + length) / pageSize);
  const pages = source.read(first + 1, end - first);
  return pages.subarray(at - first * pageSize, at - first * pageSize + length);
}

function missing(pageNo: number, pageCount: number): ReplicaError {
  return new ReplicaError("INTEGRITY_FAILED", `Page ${pageNo} of ${pageCount} never came`, {
    hint: "Nothing was replaced. Pull again.",
    retryable: true,
  });
}
