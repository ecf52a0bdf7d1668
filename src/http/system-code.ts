import { ReplicaError } from "../errors.js";

/** The `code` of the error or of what caused it: HTTP clients wrap, and a name with several addresses gives an aggregate. */
export function systemCode(error: unknown, depth = 0): string | null {
  if (typeof error !== "object" || error === null || depth > 4) return null;
  const { code, cause, errors } = error as { code?: unknown; cause?: unknown; errors?: unknown };
  if (typeof code === "string" && !(error instanceof ReplicaError)) return code;
  const inner: unknown = cause ?? (Array.isArray(errors) ? errors[0] : undefined);
  return systemCode(inner, depth + 1);
}
