import parseRange from "range-parser";
import type { ByteRange } from "../export-job.js";

/**
 * What a `Range` header asks for of a file with so many bytes: `"whole"` also where it is of another unit, of several ranges or of no form that is one;
 * `"unsatisfiable"` where the file ends before it. https://www.rfc-editor.org/rfc/rfc9110#section-14.2
 */
export function requestedRange(header: string | undefined, bytes: number): ByteRange | "whole" | "unsatisfiable" {
  if (header === undefined) return "whole";
  const spec = /^bytes=[ \t]*(\d+-\d*|-\d+)[ \t]*$/i.exec(header)?.[1];
  if (spec === undefined) return "whole";
  if (spec.startsWith("-")) {
    // More than the file has is all of it; range-parser takes that for unsatisfiable.
    const last = Math.min(Number(spec.slice(1)), bytes);
    if (Number(spec.slice(1)) === 0) return "unsatisfiable";
    // `Content-Range` has no form for nothing.
    return last === 0 ? "whole" : { start: bytes - last, end: bytes - 1 };
  }
  const [first, last] = spec.split("-").map(Number);
  if (first !== undefined && last !== undefined && !spec.endsWith("-") && last < first) return "whole";
  const ranges = parseRange(bytes, `bytes=${spec}`);
  const [range] = Array.isArray(ranges) ? ranges : [];
  return range ? { start: range.start, end: range.end } : "unsatisfiable";
}
