import { showValue } from "../config/show-value.js";
import { callbackRefused } from "./callbacks/callback-refused.js";
import { callbackUrlMistake } from "./callbacks/callback-url.js";
import type { ExportRequest } from "./export-job.js";
import { invalidExport, parseSelection, requestFields } from "./selection-fields.js";

/**
 * Checks the request of a job, which may come from anywhere.
 * @param callbacks what the options say of callbacks; `null` where there are none
 * @throws `INVALID_EXPORT` naming every field that cannot work, `CALLBACK_REFUSED` for a URL that may not be called
 */
export function parseJobRequest(
  request: unknown,
  callbacks: { readonly allowPrivate: boolean } | null,
): Required<ExportRequest> {
  const { callbackUrl = null, ...selection } = requestFields(request, ["format", "tables", "callbackUrl"]);
  const { format, tables } = parseSelection(selection);
  if (callbackUrl === null) return { format, tables, callbackUrl: null };
  if (callbacks === null)
    throw invalidExport(["callbackUrl cannot be used here: no `callbacks` are set up in the options"]);
  if (typeof callbackUrl !== "string")
    throw invalidExport([`callbackUrl must be a URL, got ${showValue(callbackUrl)}`]);
  const mistake = callbackUrlMistake(callbackUrl, callbacks);
  if (mistake === null) return { format, tables, callbackUrl };
  throw callbackRefused(mistake);
}
