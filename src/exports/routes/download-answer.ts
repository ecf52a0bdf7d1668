import { create as contentDisposition } from "content-disposition";
import { RouteError, type RouteErrorCode } from "../../control/route-error.js";
import type { ExportControl } from "../export-control.js";
import { artifactFileName } from "../export-file-name.js";
import { finishedArtifact } from "../finished-artifact.js";
import { FILE_FORMS } from "../formats/file-form.js";
import { openForCaller } from "./open-for-caller.js";
import { checkPreconditions } from "./preconditions.js";
import { requestedRange } from "./requested-range.js";

/**
 * The file of a job, or the piece that `Range` asks for, always as it is: an entity tag and ranges are of its bytes. `HEAD` and a
 * condition that fails are answered from the books, without the file.
 */
export async function answerDownload(
  control: ExportControl,
  database: string,
  request: Request,
  id: string,
): Promise<Response> {
  const job = await control.job(id);
  const { bytes, sha256 } = finishedArtifact(job);
  const etag = `"${sha256}"`;
  const checked = checkPreconditions(request.headers, etag);
  if (checked.outcome === "failed") {
    throw new RouteError(
      412,
      "PRECONDITION_FAILED" satisfies RouteErrorCode,
      "The file is not the one of If-Match: download it from the start",
      { headers: { ETag: etag } },
    );
  }
  // No cache may keep it; a client that has kept it itself is spared the way.
  const cached = { ETag: etag, "Cache-Control": "no-store, no-transform" };
  if (checked.outcome === "not-modified") return new Response(null, { status: 304, headers: cached });
  const headers = {
    ...cached,
    "Content-Type": FILE_FORMS[job.format].mediaType,
    "Content-Disposition": contentDisposition(artifactFileName(database, job)),
    "Accept-Ranges": "bytes",
    // Of the whole file, whatever piece is sent. https://www.rfc-editor.org/rfc/rfc9530#section-3
    "Repr-Digest": `sha-256=:${Buffer.from(sha256, "hex").toString("base64")}:`,
  };
  if (request.method === "HEAD")
    return new Response(null, { headers: { ...headers, "Content-Length": String(bytes) } });
  const range = checked.range ? requestedRange(request.headers.get("range") ?? undefined, bytes) : "whole";
  if (range === "unsatisfiable") {
    throw new RouteError(
      416,
      "RANGE_NOT_SATISFIABLE" satisfies RouteErrorCode,
      `The file has ${bytes} bytes and ends before the range`,
      { headers: { "Content-Range": `bytes */${bytes}`, "Accept-Ranges": "bytes", ETag: etag } },
    );
  }
  const part = range === "whole" ? undefined : range;
  const open = (signal: AbortSignal) => control.download(id, { signal, range: part });
  const { body } = await openForCaller(request.signal, open);
  if (part === undefined) return new Response(body, { headers: { ...headers, "Content-Length": String(bytes) } });
  return new Response(body, {
    status: 206,
    headers: {
      ...headers,
      "Content-Range": `bytes ${part.start}-${part.end}/${bytes}`,
      "Content-Length": String(part.end - part.start + 1),
    },
  });
}
