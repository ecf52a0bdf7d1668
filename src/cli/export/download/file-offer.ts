import { CliError } from "../../cli-error.js";
import type { ControlClient, OpenAnswer } from "../../control/control-client.js";
import { headerOf } from "../../control/header-of.js";
import { printable } from "../../printable.js";

/** What the server answered to being asked for a finished export. */
export interface FileOffer {
  /** Where the body begins in the file. */
  readonly start: number;
  /** Of the whole file, where it says so. */
  readonly total: number | null;
  /** Only a strong one: a weak one does not promise the same bytes. */
  readonly etag: string | null;
  readonly contentDisposition: string | null;
  readonly body: OpenAnswer["body"];
}

/**
 * Asks for the file from `start` on, if it is still the one of `etag`; else the server offers all of it.
 * @throws CliError
 */
export async function requestFile(
  client: ControlClient,
  job: string,
  { start, etag, signal }: { readonly start: number; readonly etag: string | null; readonly signal: AbortSignal },
): Promise<FileOffer> {
  const path = `/export/dump/${encodeURIComponent(job)}/download`;
  const ranged = start > 0 && etag !== null;
  const headers = ranged ? { range: `bytes=${start}-`, "if-range": etag } : {};
  const answer = await client.open(path, { headers, accepted: ranged ? [416] : [], signal });
  try {
    // The file has become shorter than what we have of it.
    if (answer.statusCode === 416) {
      answer.body.destroy();
      return await requestFile(client, job, { start: 0, etag: null, signal });
    }
    return readOffer(answer);
  } catch (error) {
    answer.body.destroy();
    throw error;
  }
}

function readOffer(answer: OpenAnswer): FileOffer {
  const encoding = headerOf(answer, "content-encoding") ?? "identity";
  if (encoding !== "identity") {
    throw new CliError("NOT_OURS", `something on the way has packed the file (${printable(encoding, 20)})`, {
      hint: "A proxy has to leave downloads as they are.",
    });
  }
  const etag = headerOf(answer, "etag");
  const length = headerOf(answer, "content-length");
  const part = answer.statusCode === 206 ? parseContentRange(headerOf(answer, "content-range")) : null;
  return {
    start: part?.start ?? 0,
    total: part === null ? (length === null ? null : Number(length)) : part.total,
    etag: etag !== null && /^"[\x21\x23-\x7e]*"$/.test(etag) ? etag : null,
    contentDisposition: headerOf(answer, "content-disposition"),
    body: answer.body,
  };
}

function parseContentRange(text: string | null): { start: number; total: number | null } {
  const [, start, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(text ?? "") ?? [];
  if (start === undefined) throw new CliError("NOT_OURS", "the server answers with a piece of the file, but not which");
  return { start: Number(start), total: total === "*" ? null : Number(total) };
}
