import { inspect } from "node:util";
import { beforeAll, describe, expect, it, vi } from "vitest";
import type { ReplicaError } from "../../../src/errors.js";
import { createS3Store } from "../../../src/exports/artifacts/s3-store.js";
import type { S3Options } from "../../../src/exports/exports-options.js";
import { atEnd } from "../../support/at-end.js";
import { s3ServerMissing, startS3Server, type TestS3 } from "../../support/s3-server.js";
import { tempDir } from "../../support/temp-dir.js";
import { type Meddling, startMeddlingProxy } from "./meddling-proxy.js";

const missing = s3ServerMissing();
const JOB = { id: "job-1", fileName: "main.sql", mediaType: "application/sql" };
const KEYS = { accessKeyId: "some-key", secretAccessKey: "my-secret-key", sessionToken: "my-session-token" };

/** How the first job with these options fails. */
async function failure(options: S3Options): Promise<ReplicaError> {
  const store = await createS3Store(options, { attempts: 1 });
  atEnd(() => store.close());
  const error: unknown = await store.begin(JOB).then(
    () => "it did not fail",
    (e) => e,
  );
  expect(error).toMatchObject({ code: "ARTIFACT_STORE" });
  return error as ReplicaError;
}

describe.skipIf(missing !== null)(`Mistakes in the options of S3${missing === null ? "" : `: ${missing}`}`, () => {
  let server: TestS3;
  beforeAll(async () => {
    server = await startS3Server();
  }, 60_000);

  it.each([
    ["another bucket", { bucket: "not-there" }, /NoSuchBucket/, /Create the bucket "not-there"/],
    ["a wrong secret", { secretAccessKey: "wrong-secret" }, /SignatureDoesNotMatch/, /`secretAccessKey`/],
    ["another region", { region: "us-west-9" }, /AuthorizationHeaderMalformed/, /than "us-west-9".*`region`/],
    ["a bucket with a path", { bucket: "Not/A/Bucket" }, /./, /bucket/],
  ])("are named with what mends them: %s", async (_, change, message, hint) => {
    const error = await failure({ ...server.options(), ...change });
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(hint);
    expect(error.retryable).toBe(false);
    expect(inspect(error, { depth: 9 })).not.toMatch(/wrong-secret|test-secret-key/);
  });

  it("are told from a bucket without the object", async () => {
    const store = await createS3Store({ ...server.options(), bucket: "not-there" });
    atEnd(() => store.close());
    const read = async () => {
      for await (const _ of store.read("s3://not-there/x.sql", null, new AbortController().signal));
    };
    await expect(read()).rejects.toMatchObject({ code: "ARTIFACT_STORE", hint: expect.stringContaining("not-there") });
  });
});

describe("Errors of S3", () => {
  const answered = async (answer: Meddling, options: Partial<S3Options> = {}) => {
    const proxy = await startMeddlingProxy(1);
    proxy.meddle(() => answer);
    const endpoint = `http://user:password@127.0.0.1:${proxy.port}/`;
    const error = await failure({ bucket: "exports", region: "eu-test-1", endpoint, ...KEYS, ...options });
    return { error, proxy };
  };
  const xml = (code: string, more = "") => `<Error><Code>${code}</Code><Message>What it says</Message>${more}</Error>`;

  it.each([
    [301, "PermanentRedirect", false, /`region`/],
    [400, "AuthorizationHeaderMalformed", false, /It says: "eu-west-7"/],
    [400, "ExpiredToken", false, /`sessionToken` has expired/],
    [403, "InvalidAccessKeyId", false, /`accessKeyId`/],
    [403, "AccessDenied", false, /s3:PutObject/],
    [403, "RequestTimeTooSkewed", false, /clock/],
    [403, "QuotaExceeded", false, /Make room/],
    [400, "RequestTimeout", true, /tried again/],
    [409, "OperationAborted", true, /tried again/],
    [429, "TooManyRequests", true, /tried again/],
    [500, "InternalError", true, /tried again/],
    [503, "SlowDown", true, /tried again/],
    [501, "NotImplemented", false, /multipart/],
    [418, "Teapot", false, /multipart/],
  ])("of status %i, %s: retryable %s", async (status, code, retryable, hint) => {
    const { error } = await answered({ status, body: xml(code, "<Region>eu-west-7</Region>") });
    expect(error.retryable).toBe(retryable);
    expect(error.hint).toMatch(hint);
    expect(error.message).toContain(code);
    expect(error.message).toContain('bucket "exports" at http://127.0.0.1:');
    expect(error.status).toBe(status);
  });

  it.each([
    ["not XML", { status: 200, body: "<html>hello</html>" }],
    ["nothing", { status: 200 }],
    ["a web page and a failure", { status: 502, body: "<html>Bad gateway</html>" }],
  ])("of a server that answers %s", async (_, answer) => {
    const { error } = await answered(answer);
    expect(error.hint).toBeTruthy();
  });

  it("show no secret, though the server repeats what it was sent", async () => {
    const echo = `${KEYS.secretAccessKey} ${KEYS.sessionToken} https://x.example/a?X-Amz-Signature=abc&X-Amz-Credential=${KEYS.accessKeyId}`;
    const body = `<Error><Code>InvalidToken</Code><Message>${echo.replaceAll("&", "&amp;")}</Message><Token-0>${KEYS.sessionToken}</Token-0><StringToSign>AWS4</StringToSign></Error>`;
    const { error, proxy } = await answered({ status: 400, body });
    expect(proxy.seen[0]?.headers["x-amz-security-token"]).toBe(KEYS.sessionToken);
    const shown = `${inspect(error, { depth: 9, showHidden: true })} ${JSON.stringify(error)}`;
    expect(shown).toContain("InvalidToken");
    expect(shown).not.toMatch(/my-secret|my-session|X-Amz-Signature|user:password|AWS4/);
  });

  it("of a server that is not there can be tried again", async () => {
    const error = await failure({ bucket: "exports", region: "eu-test-1", endpoint: "http://127.0.0.1:1", ...KEYS });
    expect(error).toMatchObject({ retryable: true, hint: expect.stringContaining("http://127.0.0.1:1") });
    expect(error.message).toContain("ECONNREFUSED");
  });

  it("of a name that nobody knows can be tried again", async () => {
    const error = await failure({
      bucket: "exports",
      region: "eu-test-1",
      endpoint: "http://no-such.invalid",
      ...KEYS,
    });
    expect(error).toMatchObject({ retryable: true, hint: expect.stringContaining("no-such.invalid") });
  });

  it("say where credentials may come from, where there are none", async () => {
    const nowhere = tempDir();
    for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"]) {
      vi.stubEnv(name, undefined);
    }
    vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", `${nowhere}/credentials`);
    vi.stubEnv("AWS_CONFIG_FILE", `${nowhere}/config`);
    vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
    atEnd(() => vi.unstubAllEnvs());
    const error = await failure({ bucket: "exports", endpoint: "http://127.0.0.1:1" });
    expect(error).toMatchObject({ retryable: false, hint: expect.stringContaining("AWS_ACCESS_KEY_ID") });
  });

  it.each([
    ["the options'", "eu-option-1", "eu-environment-1", "eu-option-1"],
    ["the environment's", undefined, "eu-environment-1", "eu-environment-1"],
    ["Amazon's first", undefined, undefined, "us-east-1"],
  ])("are of requests signed for the region: %s", async (_, region, environment, signed) => {
    vi.stubEnv("AWS_REGION", environment);
    vi.stubEnv("AWS_CONFIG_FILE", `${tempDir()}/config`);
    atEnd(() => vi.unstubAllEnvs());
    const proxy = await startMeddlingProxy(1);
    proxy.meddle(() => ({ status: 403, body: xml("AccessDenied") }));
    const endpoint = `http://127.0.0.1:${proxy.port}`;
    await failure({ bucket: "exports", endpoint, ...KEYS, ...(region === undefined ? {} : { region }) });
    expect(proxy.seen[0]?.headers.authorization).toContain(`/${signed}/s3/`);
    expect(proxy.seen[0]?.url).toMatch(/^\/exports[/?]/);
  });
});
