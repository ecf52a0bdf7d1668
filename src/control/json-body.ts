import { suggestion } from "../config/nearest-name.js";
import { invalidRequest, RouteError, type RouteErrorCode } from "./route-error.js";

const MAX_BODY_BYTES = 1024 * 1024;

export type JsonFields = Readonly<Record<string, unknown>>;

/**
 * The request's body, which must be a JSON object. No body at all is an empty object where that is `optional`.
 * @throws RouteError 400, 413
 */
export async function readFields(request: Request, optional = false): Promise<JsonFields> {
  const bytes = await readBody(request);
  if (bytes.length === 0 && optional) return {};
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw invalidRequest("The body must be JSON in UTF-8");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalidRequest("The body must be a JSON object");
  }
  return value as JsonFields;
}

/** @throws RouteError 400 that names the field and the nearest known one */
export function refuseUnknownFields(fields: JsonFields, known: readonly string[]): void {
  const unknown = Object.keys(fields).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  const key = unknown.slice(0, 80);
  throw invalidRequest(`${key} is unknown: ${suggestion(key, known)}`);
}

async function readBody(request: Request): Promise<Buffer> {
  if (Number(request.headers.get("content-length") ?? 0) > MAX_BODY_BYTES) throw tooLarge();
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const part of request.body ?? []) {
      size += part.length;
      if (size > MAX_BODY_BYTES) throw tooLarge();
      parts.push(part);
    }
  } catch (error) {
    if (error instanceof RouteError) throw error;
    throw invalidRequest("The body broke off");
  }
  return Buffer.concat(parts);
}

function tooLarge(): RouteError {
  return new RouteError(
    413,
    "BODY_TOO_LARGE" satisfies RouteErrorCode,
    `The body is larger than ${MAX_BODY_BYTES} bytes: send less at once`,
  );
}
