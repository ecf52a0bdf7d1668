import parseRange from "range-parser";
import type { ByteRange } from "../export-job.js";

/**
 * What a `Range` header asks for of a file with so many bytes. `"whole"` also where it is of another unit, of several ranges or of no form that is one, and
 * for an empty file, of which there is no range; `"unsatisfiable"` where the file ends before it. https://www.rfc-editor.org/rfc/rfc9110#section-14.2
 */
export function requestedRange(header: string | undefined, bytes: number): ByteRange | "whole" | "unsatisfiable" {
  if (header === undefined || bytes === 0 || !/^bytes=[^,]*$/i.test(header)) return "whole";
  const suffix = /^bytes=\s*-\s*(\d+)\s*$/i.exec(header)?.[1];
  // The last so many bytes of a file that has fewer are all of it; range-parser takes them for unsatisfiable.
  const ranges = parseRange(bytes, Number(suffix ?? 0) > bytes ? "bytes=0-" : header);
  if (ranges === -2) return "whole";
  const [range] = Array.isArray(ranges) ? ranges : [];
  return range ? { start: range.start, end: range.end } : "unsatisfiable";
}
