import type * as Sdk from "@aws-sdk/client-s3";
import { loadDriver } from "../../drivers/load-driver.js";
import { ReplicaError } from "../../errors.js";
import type { S3Options } from "../exports-options.js";
import { mapS3Error, type S3Names } from "./map-s3-error.js";

const DEFAULT_REGION = "us-east-1";

/** How long is waited for a server. The defaults suit servers far away. */
export interface S3Patience {
  /** For a connection, in milliseconds. Default 10 000. */
  readonly connectMs?: number;
  /** For the next byte in either direction, in milliseconds. Default 60 000. */
  readonly silenceMs?: number;
  /** For the answer to what a server may take long over: putting the parts together. In milliseconds. Default 900 000. */
  readonly assemblyMs?: number;
  /** For one request with all its tries, in milliseconds. Default 3 600 000. */
  readonly requestMs?: number;
  /** Tries of one request, with the SDK's own back-off between them. Default 3, or what AWS_MAX_ATTEMPTS says. */
  readonly attempts?: number;
}

/** Something under way that ends with whoever asked for it, and with the link. */
export interface S3Scope {
  readonly signal: AbortSignal;
  readonly abort: (reason: unknown) => void;
  readonly end: () => void;
}

interface AskOptions {
  /** Ends it before its time, with its own reason. */
  readonly signal?: AbortSignal | undefined;
  /** Whether the server may take long to answer. */
  readonly patient?: boolean;
}

/** A bucket, and the connections to it. Every error is ours. */
export class S3Link {
  readonly names: S3Names;
  readonly sdk: typeof Sdk;
  readonly #client: Sdk.S3;
  readonly #patient: Sdk.S3;
  readonly #requestMs: number;
  /** Not `AbortSignal.any`: it keeps something of every request for as long as the link lives. */
  readonly #scopes = new Set<AbortController>();
  #closed = false;

  private constructor(sdk: typeof Sdk, client: Sdk.S3, patient: Sdk.S3, names: S3Names, requestMs: number) {
    this.sdk = sdk;
    this.#client = client;
    this.#patient = patient;
    this.names = names;
    this.#requestMs = requestMs;
  }

  /** Reads settings of the machine, and speaks to nobody. @throws `MISSING_DRIVER` */
  static async open(options: S3Options, patience: S3Patience = {}): Promise<S3Link> {
    const sdk = await loadDriver("@aws-sdk/client-s3");
    const { accessKeyId, secretAccessKey, sessionToken, endpoint } = options;
    const { connectMs = 10_000, silenceMs = 60_000, assemblyMs = 900_000, requestMs = 3_600_000, attempts } = patience;
    const region = options.region ?? (await regionHere(sdk));
    const create = (socketTimeout: number) =>
      new sdk.S3({
        region,
        forcePathStyle: options.forcePathStyle ?? endpoint !== undefined,
        // The signature covers the SHA-256 of the body, which every server checks. More checksums are what many servers refuse.
        requestChecksumCalculation: "WHEN_REQUIRED",
        responseChecksumValidation: "WHEN_REQUIRED",
        // It costs a connection and a round trip per part, and several seconds with a server that does not know it.
        expectContinueHeader: false,
        requestHandler: { connectionTimeout: connectMs, socketTimeout },
        ...(attempts === undefined ? {} : { maxAttempts: attempts }),
        ...(endpoint === undefined ? {} : { endpoint }),
        ...(accessKeyId === undefined || secretAccessKey === undefined
          ? {}
          : { credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) } }),
      });
    const names: S3Names = {
      bucket: options.bucket,
      endpoint: endpoint === undefined ? null : originOf(endpoint),
      region,
      secrets: [secretAccessKey, sessionToken].filter((secret) => secret !== undefined),
    };
    return new S3Link(sdk, create(silenceMs), create(assemblyMs), names, requestMs);
  }

  /**
   * Asks the server something, and makes what fails one of our errors.
   * @param what begins the error's message.
   */
  async ask<T>(
    what: string,
    question: (s3: Sdk.S3, options: { readonly abortSignal: AbortSignal }) => Promise<T>,
    options: AskOptions = {},
  ): Promise<T> {
    const answer = await this.find(what, [], question, options);
    // Nothing is absent that was not named.
    return answer as T;
  }

  /** As `ask`, but `null` where the server's error is one of these. */
  async find<T>(
    what: string,
    absent: readonly string[],
    question: (s3: Sdk.S3, options: { readonly abortSignal: AbortSignal }) => Promise<T>,
    options: AskOptions = {},
  ): Promise<T | null> {
    const scope = this.scope(options.signal);
    const late = () =>
      new ReplicaError("ARTIFACT_STORE", `${what}, bucket "${this.names.bucket}": no end after ${this.#requestMs} ms`, {
        hint: "See whether the server, or the line to it, is overloaded.",
        retryable: true,
      });
    const deadline = setTimeout(() => scope.abort(late()), this.#requestMs);
    try {
      scope.signal.throwIfAborted();
      return await question(options.patient === true ? this.#patient : this.#client, { abortSignal: scope.signal });
    } catch (error) {
      if (scope.signal.aborted) throw scope.signal.reason;
      if (error instanceof Error && absent.includes(error.name)) return null;
      throw mapS3Error(error, what, this.names);
    } finally {
      clearTimeout(deadline);
      scope.end();
    }
  }

  /** `end` has to be called. Aborts with the given signal's reason, or `STOPPED`. */
  scope(outer?: AbortSignal): S3Scope {
    const controller = new AbortController();
    const abort = () => controller.abort(outer?.reason);
    if (this.#closed) controller.abort(stopped());
    else if (outer?.aborted === true) abort();
    outer?.addEventListener("abort", abort, { once: true });
    this.#scopes.add(controller);
    return {
      signal: controller.signal,
      abort: (reason) => controller.abort(reason),
      end: () => {
        outer?.removeEventListener("abort", abort);
        this.#scopes.delete(controller);
      },
    };
  }

  /** Ends every request under way and all connections. */
  close(): void {
    this.#closed = true;
    for (const scope of this.#scopes) scope.abort(stopped());
    this.#client.destroy();
    this.#patient.destroy();
  }
}

function stopped(): ReplicaError {
  return new ReplicaError("STOPPED", "The exports have been stopped");
}

/** As the environment or the shared configuration says. */
async function regionHere(sdk: typeof Sdk): Promise<string> {
  const client = new sdk.S3({});
  try {
    return await client.config.region();
  } catch {
    return DEFAULT_REGION;
  } finally {
    client.destroy();
  }
}

/** Without the user's name and password that a URL may have. */
function originOf(endpoint: string): string {
  try {
    return new URL(endpoint).origin;
  } catch {
    return "the endpoint";
  }
}
