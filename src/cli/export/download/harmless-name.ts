import { parse } from "content-disposition";

/** What file systems take, with room for what we put behind it. */
const MAX_BYTES = 200;
/** Names that Windows keeps for devices, whatever follows the first dot. */
const DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

/**
 * The name that `Content-Disposition` gives a file, made harmless: one that lies in the current folder, is not hidden, is no flag to a command
 * like `rm *` and does not play with the terminal that shows it. `null` where nothing is left of it.
 */
export function harmlessName(contentDisposition: string | null): string | null {
  const named = contentDisposition === null ? "" : fileNameOf(contentDisposition);
  const base = named.split(/[/\\]/).at(-1) ?? "";
  const clean = base
    .normalize("NFC")
    .replace(/[^\p{L}\p{M}\p{N} ._+,=@~!#()[\]{}-]/gu, "_")
    .replace(/^[\s.~-]+/, "")
    .replace(/[\s.]+$/, "");
  const short = shorten(clean);
  if (!/[\p{L}\p{N}]/u.test(short)) return null;
  return DEVICE.test(short) ? `_${short}` : short;
}

function fileNameOf(contentDisposition: string): string {
  try {
    return parse(contentDisposition).parameters.filename ?? "";
  } catch {
    return "";
  }
}

/** From the middle: what it ends with says what it is. */
function shorten(name: string): string {
  if (Buffer.byteLength(name) <= MAX_BYTES) return name;
  const letters = [...name];
  const ending = letters.slice(-20);
  let head = letters.slice(0, -20);
  while (Buffer.byteLength(head.join("") + ending.join("")) > MAX_BYTES) head = head.slice(0, -1);
  return [...head, ...ending].join("");
}
