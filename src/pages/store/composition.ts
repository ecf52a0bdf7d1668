import type { FileHandle } from "node:fs/promises";
import { type PageOrigin, PUSHED, STORED } from "./page-origin.js";
import type { PushedPages } from "./pushed-pages.js";

/** A version to be put together. */
export interface Composition {
  /** By page number. */
  readonly origins: Uint8Array;
  /** Bytes of a page. */
  readonly unit: number;
  /** Of the whole version. */
  readonly bytes: number;
  readonly stored: { readonly path: string; readonly file: FileHandle; readonly bytes: number } | null;
  /** The first is this push's own. */
  readonly pushed: readonly PushedPages[];
}

/** The file that has a page at its place. */
export function originFile({ stored, pushed }: Composition, origin: PageOrigin): FileHandle {
  const file = origin === STORED ? stored?.file : pushed[origin - PUSHED]?.pages;
  if (file === undefined) throw new RangeError("a page comes from nowhere");
  return file;
}
