import { pipeline, type Readable } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import { ReplicaError } from "../errors.js";
import { describeUrl } from "../http/describe-url.js";

/** What {@link decode} can undo. */
export const ACCEPTED_ENCODINGS = "gzip, deflate, br";

/** The stream as it was before `Content-Encoding`. */
export function decode(body: Readable, encoding: string | null, url: string): Readable {
  switch (encoding?.trim().toLowerCase() ?? "") {
    case "":
    case "identity":
      return body;
    case "gzip":
    case "x-gzip":
      return pipeline(body, createGunzip(), reportedByReading);
    case "deflate":
      return pipeline(body, createInflate(), reportedByReading);
    case "br":
      return pipeline(body, createBrotliDecompress(), reportedByReading);
    default:
      throw new ReplicaError(
        "ANSWER_INVALID",
        `${describeUrl(url)} answered with Content-Encoding "${encoding}", which was not asked for`,
      );
  }
}

/** A pipeline's failure reaches whoever reads its last stream. */
function reportedByReading(): void {}
