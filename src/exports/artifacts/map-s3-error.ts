import { ReplicaError, type ReplicaErrorCode } from "../../errors.js";

/** What messages and hints name. */
export interface S3Names {
  readonly bucket: string;
  /** `null` for Amazon's. */
  readonly endpoint: string | null;
  readonly region: string;
  /** Never to be shown, though a server may send them back. */
  readonly secrets: readonly string[];
}

interface Meaning {
  readonly hint: string;
  readonly retryable?: boolean;
}

const MAX_REASON_LENGTH = 300;

const NO_CREDENTIALS = new Set(["CredentialsProviderError", "TokenProviderError", "InvalidIdentityToken"]);

/** Those that pass although their status is 4xx. */
const PASSING = new Set([
  "RequestTimeout",
  "RequestTimeoutException",
  "SlowDown",
  "Throttling",
  "ThrottlingException",
  "TooManyRequests",
  "OperationAborted",
  "BadDigest",
  "XAmzContentSHA256Mismatch",
  "IncompleteBody",
]);

/** Of Node, its TLS, and the SDK's own deadlines: no answer, or only part of one. */
const UNREACHABLE =
  /^(ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|ENETDOWN|ENOTFOUND|EAI_|EPROTO|ERR_STREAM_PREMATURE_CLOSE|TimeoutError|AbortError)/;

const CERTIFICATE = /^(CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_TLS_CERT)/;

/**
 * An error of the SDK or of the network as `ARTIFACT_STORE` (or the code given); one of ours as it is. To be thrown. The SDK's error is not
 * kept as it is: it has headers and answers in it.
 * @param what begins the message, such as `Sending part 3`.
 */
export function mapS3Error(
  error: unknown,
  what: string,
  names: S3Names,
  code: ReplicaErrorCode = "ARTIFACT_STORE",
): ReplicaError {
  if (error instanceof ReplicaError) return error;
  const name = error instanceof Error ? error.name : "";
  const status = error instanceof Error ? statusOf(error) : undefined;
  const reason = hide(error instanceof Error ? error.message : String(error), names);
  const meaning = meaningOf(name, status, error, names);
  const place = names.endpoint === null ? "" : ` at ${names.endpoint}`;
  const said = reason === "" || reason === name ? name : name === "Error" ? reason : `${name}: ${reason}`;
  const from = status === undefined ? "" : ` (status ${status})`;
  return new ReplicaError(code, `${what}, bucket "${names.bucket}"${place}: ${said}${from}`, {
    hint: meaning.hint,
    retryable: meaning.retryable ?? false,
    cause: new Error(said),
    ...(status === undefined ? {} : { status }),
  });
}

function meaningOf(name: string, status: number | undefined, error: unknown, names: S3Names): Meaning {
  const { bucket, endpoint, region } = names;
  if (name === "NoSuchBucket") return { hint: `Create the bucket "${bucket}", or give another as \`bucket\`.` };
  if (name === "NoSuchUpload" || name === "InvalidPart") {
    return { hint: "Somebody ended the unfinished upload: it is begun anew.", retryable: true };
  }
  if (NO_CREDENTIALS.has(name)) {
    return {
      hint: "Give `accessKeyId` and `secretAccessKey`, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a role.",
    };
  }
  if (name === "InvalidAccessKeyId") return { hint: "The server does not know this `accessKeyId`: give another." };
  if (name === "SignatureDoesNotMatch") {
    return { hint: "The `secretAccessKey` does not belong to the `accessKeyId`: give the right one." };
  }
  if (name === "ExpiredToken" || name === "InvalidToken") {
    return { hint: "The `sessionToken` has expired or is another's: give a new one with its keys." };
  }
  if (name === "RequestTimeTooSkewed") return { hint: "Set this machine's clock right." };
  if (
    name === "PermanentRedirect" ||
    name === "AuthorizationHeaderMalformed" ||
    name === "IllegalLocationConstraintException"
  ) {
    const right = regionOf(error);
    const mend = right === undefined ? "" : ` It says: "${right}".`;
    return { hint: `The bucket is in another region than "${region}": give its own as \`region\`.${mend}` };
  }
  if (status === 301 || status === 307 || status === 308) {
    return { hint: `The bucket is elsewhere: give its own \`region\` (now "${region}") or \`endpoint\`.` };
  }
  if (name === "InvalidBucketName") return { hint: "Give the bucket's name alone as `bucket`, without a path or URL." };
  if (name === "EntityTooLarge" || name === "QuotaExceeded" || name === "InsufficientStorage" || status === 507) {
    return { hint: `Make room in the bucket "${bucket}", or raise its quota.` };
  }
  if (CERTIFICATE.test(codeOf(error))) {
    return { hint: "Make Node trust the server's certificate (NODE_EXTRA_CA_CERTS), or give the right `endpoint`." };
  }
  if (
    name === "AccessDenied" ||
    name === "Forbidden" ||
    name === "AllAccessDisabled" ||
    status === 401 ||
    status === 403
  ) {
    return {
      hint: `Allow these credentials s3:PutObject, GetObject, DeleteObject, AbortMultipartUpload, ListMultipartUploadParts, ListBucketMultipartUploads and ListBucket on "${bucket}".`,
    };
  }
  const where = endpoint === null ? "Amazon S3" : endpoint;
  if (
    PASSING.has(name) ||
    status === 408 ||
    status === 429 ||
    (status !== undefined && status >= 500 && status !== 501)
  ) {
    return { hint: `${where} cannot take it now: it is tried again.`, retryable: true };
  }
  if (UNREACHABLE.test(name) || UNREACHABLE.test(codeOf(error))) {
    return {
      hint: `See that ${where} can be reached from here, and that \`endpoint\` and \`region\` are right.`,
      retryable: true,
    };
  }
  return { hint: `See whether ${where} knows S3's multipart uploads, and what its log says.` };
}

function statusOf(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("$metadata" in error)) return undefined;
  const metadata = error.$metadata as { readonly httpStatusCode?: unknown } | undefined;
  return typeof metadata?.httpStatusCode === "number" ? metadata.httpStatusCode : undefined;
}

function codeOf(error: unknown): string {
  if (typeof error !== "object" || error === null) return "";
  if ("code" in error && typeof error.code === "string") return error.code;
  // Several addresses were tried, or the SDK wrapped it.
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return "cause" in error ? codeOf(error.cause) : "";
}

function regionOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  const region = "Region" in error ? error.Region : undefined;
  return typeof region === "string" && /^[a-z0-9-]{1,40}$/.test(region) ? region : undefined;
}

/** Servers may repeat what they were sent. */
function hide(text: string, names: S3Names): string {
  let hidden = text.replace(/(https?:\/\/[^\s"'<>?]*)\?[^\s"'<>]*/g, "$1");
  for (const secret of names.secrets) if (secret !== "") hidden = hidden.replaceAll(secret, "***");
  const line = hidden.replace(/\s+/g, " ").trim();
  return line.length > MAX_REASON_LENGTH ? `${line.slice(0, MAX_REASON_LENGTH)}...` : line;
}
