import { ReplicaError } from "../../errors.js";

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
  readonly retryable: boolean;
}

const MAX_REASON_LENGTH = 300;

const CREDENTIALS =
  "Give `accessKeyId` and `secretAccessKey`, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this machine a role.";
const TOKEN = "The `sessionToken` has expired or is another's: give a new one with its keys.";
const ROOM = "Make room in the bucket {bucket}, or raise its quota.";
const REGION = "The bucket is in another region than {region}: give its own as `region`.";

/** What somebody has to mend, by the error's name. */
const HINTS: Readonly<Record<string, string>> = {
  NoSuchBucket: "Create the bucket {bucket}, or give another as `bucket`.",
  InvalidBucketName: "Give the bucket's name alone as `bucket`, without a path or URL.",
  CredentialsProviderError: CREDENTIALS,
  TokenProviderError: CREDENTIALS,
  InvalidIdentityToken: CREDENTIALS,
  InvalidAccessKeyId: "The server does not know this `accessKeyId`: give another.",
  SignatureDoesNotMatch: "The `secretAccessKey` does not belong to the `accessKeyId`: give the right one.",
  ExpiredToken: TOKEN,
  InvalidToken: TOKEN,
  RequestTimeTooSkewed: "Set this machine's clock right.",
  PermanentRedirect: REGION,
  AuthorizationHeaderMalformed: REGION,
  IllegalLocationConstraintException: REGION,
  EntityTooLarge: ROOM,
  QuotaExceeded: ROOM,
  InsufficientStorage: ROOM,
};

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
 * An error of the SDK or of the network as `ARTIFACT_STORE`; one of ours as it is. To be thrown. The SDK's error is not kept as it is: it has
 * headers and answers in it.
 * @param what begins the message, such as `Sending part 3`.
 */
export function mapS3Error(error: unknown, what: string, names: S3Names): ReplicaError {
  if (error instanceof ReplicaError) return error;
  const name = error instanceof Error ? error.name : "Error";
  const status = statusOf(error);
  const reason = hide(error instanceof Error ? error.message : String(error), names);
  const place = names.endpoint === null ? "" : ` at ${names.endpoint}`;
  const said = saying(name, reason);
  const from = status === undefined ? "" : ` (status ${status})`;
  return new ReplicaError("ARTIFACT_STORE", `${what}, bucket "${names.bucket}"${place}: ${said}${from}`, {
    ...meaningOf(name, status, error, names),
    cause: new Error(said),
    ...(status === undefined ? {} : { status }),
  });
}

function saying(name: string, reason: string): string {
  // Answers to HEAD have no body to say it in.
  if (reason === "UnknownError" || reason === "") return /^(Unknown|Error|\d+)$/.test(name) ? "no reason given" : name;
  return name === "Error" || reason === name ? reason : `${name}: ${reason}`;
}

function meaningOf(name: string, status: number | undefined, error: unknown, names: S3Names): Meaning {
  const where = names.endpoint ?? "Amazon S3";
  const mend = (hint: string): Meaning => ({ hint, retryable: false });
  const wait = (hint: string): Meaning => ({ hint, retryable: true });
  const known = Object.hasOwn(HINTS, name) ? HINTS[name] : undefined;
  if (known !== undefined) {
    const right = known === REGION ? regionOf(error) : undefined;
    const hint = known.replace("{bucket}", `"${names.bucket}"`).replace("{region}", `"${names.region}"`);
    return mend(right === undefined ? hint : `${hint} It says: "${right}".`);
  }
  if (name === "NoSuchUpload" || name === "InvalidPart") {
    return wait("Somebody ended the unfinished upload: it is begun anew.");
  }
  const code = codeOf(error);
  if (CERTIFICATE.test(code)) {
    return mend("Make Node trust the server's certificate (NODE_EXTRA_CA_CERTS), or give the right `endpoint`.");
  }
  if (PASSING.has(name)) return wait(`${where} cannot take it now: it is tried again.`);
  if (status === 301 || status === 307 || status === 308) {
    return mend(`The bucket is elsewhere: give its own \`region\` (now "${names.region}") or \`endpoint\`.`);
  }
  if (status === 401 || status === 403) {
    return mend(
      `Allow these credentials s3:PutObject, GetObject, DeleteObject, AbortMultipartUpload, ListMultipartUploadParts, ListBucketMultipartUploads and ListBucket on "${names.bucket}".`,
    );
  }
  if (status === 507) return mend(ROOM.replace("{bucket}", `"${names.bucket}"`));
  if (status === 408 || status === 429 || (status !== undefined && status >= 500 && status !== 501)) {
    return wait(`${where} cannot take it now: it is tried again.`);
  }
  if (UNREACHABLE.test(name) || UNREACHABLE.test(code)) {
    return wait(`See that ${where} can be reached from here, and that \`endpoint\` and \`region\` are right.`);
  }
  return mend(`See whether ${where} knows S3's multipart uploads, and what its log says.`);
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
