import { create as contentDisposition } from "content-disposition";
import type { Context } from "hono";
import { RouteError, type RouteErrorCode } from "../../control/route-error.js";
import type { ExportControl } from "../export-control.js";
import { exportFileName } from "../export-file-name.js";
import { FILE_FORMS } from "../formats/file-form.js";
import { parseStreamSelection, type StreamSelection } from "../stream-selection.js";
import { breakingOff } from "./break-off.js";
import { chooseCoding } from "./content-coding.js";
import { gzipBody } from "./gzip-body.js";
import { openForCaller } from "./open-for-caller.js";

/**
 * An export made while it is sent. Where it fails half way the connection breaks, so that nobody takes the rest for the whole. `HEAD` makes none, and
 * does not look whether the tables are there.
 */
export async function answerStream(
  control: ExportControl,
  database: string,
  context: Context,
  selection: StreamSelection,
): Promise<Response> {
  const request = context.req.raw;
  const coding = chooseCoding(request.headers.get("accept-encoding") ?? undefined);
  const parsed = parseStreamSelection(selection);
  if (coding === null) {
    throw new RouteError(
      406,
      "NOT_ACCEPTABLE" satisfies RouteErrorCode,
      "This can be sent as it is or with gzip, and Accept-Encoding refuses both",
      { headers: { Vary: "Accept-Encoding" } },
    );
  }
  const headers = (fileName: string, mediaType: string): Record<string, string> => ({
    "Content-Type": mediaType,
    "Content-Disposition": contentDisposition(fileName),
    // What stands between must not keep it, and not code it in a way that holds it back.
    "Cache-Control": "no-store, no-transform",
    Vary: "Accept-Encoding",
    ...(coding === "gzip" && { "Content-Encoding": "gzip" }),
  });
  if (request.method === "HEAD") {
    const fileName = exportFileName(database, { ...parsed, at: new Date() });
    return new Response(null, { headers: headers(fileName, FILE_FORMS[parsed.format].mediaType) });
  }
  const open = (signal: AbortSignal) => control.stream(selection, { signal });
  const { fileName, mediaType, body: whole } = await openForCaller(request.signal, open);
  const body = breakingOff(whole, context);
  return new Response(coding === "gzip" ? gzipBody(body) : body, { headers: headers(fileName, mediaType) });
}
