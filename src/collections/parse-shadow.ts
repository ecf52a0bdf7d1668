import type { DocumentContent } from "../modes/document-content.js";
import { isJsonObject } from "../protocol/json-object.js";
import { parseContent } from "./parse-record.js";

const SHADOW_VERSION = 1;

/** A merge that stands beside the clients' document. */
export interface Shadow {
  readonly merged: DocumentContent;
  /** The clients' document that went into it; `null`: there was none. */
  readonly folded: DocumentContent | null;
  /** As it is stored. */
  readonly text: string;
}

/** `null` for anything that is not a whole one. */
export function parseShadow(text: string): Shadow | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isJsonObject(value) || value.v !== SHADOW_VERSION) return null;
  const merged = parseContent(value.merged);
  const folded = value.folded === null ? null : parseContent(value.folded);
  return merged && folded !== undefined ? { merged, folded, text } : null;
}

export function serialiseShadow({ merged, folded }: Omit<Shadow, "text">): string {
  return JSON.stringify({ v: SHADOW_VERSION, merged, folded });
}
