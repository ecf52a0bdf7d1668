import { suggestion } from "../config/nearest-name.js";
import { showValue } from "../config/show-value.js";
import type { S3Options } from "./exports-options.js";

const KNOWN: Readonly<Record<keyof S3Options, true>> = {
  bucket: true,
  prefix: true,
  endpoint: true,
  region: true,
  forcePathStyle: true,
  accessKeyId: true,
  secretAccessKey: true,
  sessionToken: true,
};
/** Of a key, in bytes. https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html */
const MAX_KEY_BYTES = 1_024;
/** What is left of a key for the job's name. */
const JOB_NAME_BYTES = 100;

/** What is wrong with `s3`. Shows nothing of what may be secret. */
export function s3Mistakes(s3: unknown): string[] {
  if (s3 === undefined) return [];
  if (typeof s3 !== "object" || s3 === null || Array.isArray(s3))
    return ['s3 must be an object such as { bucket: "exports" }'];
  const known = Object.keys(KNOWN);
  const mistakes = Object.keys(s3)
    .filter((key) => !known.includes(key))
    .map((key) => `unknown option "s3.${key}": ${suggestion(key, known)}`);
  const { bucket, prefix, endpoint, region, forcePathStyle } = s3 as Readonly<Record<string, unknown>>;
  // Servers that are not Amazon's have rules of their own for the rest.
  if (typeof bucket !== "string" || !/^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$/.test(bucket))
    mistakes.push(`s3.bucket must be the name of a bucket, got ${showValue(bucket)}`);
  if (prefix !== undefined && !isPrefix(prefix)) {
    const form = 'must begin keys, for instance "exports/": without a slash in front, control characters and ".."';
    mistakes.push(`s3.prefix ${form}, got ${showValue(prefix)}`);
  }
  if (endpoint !== undefined && !isEndpoint(endpoint)) {
    const form = "must be a URL of http or https without user, query and fragment";
    mistakes.push(`s3.endpoint ${form}, for instance "http://127.0.0.1:9000"`);
  }
  if (region !== undefined && (typeof region !== "string" || !/^[A-Za-z0-9-]{1,63}$/.test(region)))
    mistakes.push(`s3.region must be the name of a region such as "eu-central-1", got ${showValue(region)}`);
  if (forcePathStyle !== undefined && typeof forcePathStyle !== "boolean")
    mistakes.push(`s3.forcePathStyle must be true or false, got ${showValue(forcePathStyle)}`);
  return [...mistakes, ...credentialMistakes(s3 as Readonly<Record<string, unknown>>)];
}

function credentialMistakes(s3: Readonly<Record<string, unknown>>): string[] {
  const mistakes = ["accessKeyId", "secretAccessKey", "sessionToken"]
    .filter((name) => s3[name] !== undefined && (typeof s3[name] !== "string" || s3[name] === ""))
    .map((name) => `s3.${name} must be a text that is not empty`);
  const given = (name: string): boolean => s3[name] !== undefined;
  if (given("accessKeyId") !== given("secretAccessKey"))
    mistakes.push("s3.accessKeyId and s3.secretAccessKey belong together: give both or none");
  else if (given("sessionToken") && !given("accessKeyId"))
    mistakes.push("s3.sessionToken belongs to s3.accessKeyId and s3.secretAccessKey: give all three");
  return mistakes;
}

function isPrefix(prefix: unknown): boolean {
  if (typeof prefix !== "string" || prefix.startsWith("/") || /\p{C}/u.test(prefix)) return false;
  if (Buffer.byteLength(prefix) > MAX_KEY_BYTES - JOB_NAME_BYTES) return false;
  return !prefix.split("/").some((part) => part === "." || part === "..");
}

function isEndpoint(endpoint: unknown): boolean {
  if (typeof endpoint !== "string" || !URL.canParse(endpoint)) return false;
  const { protocol, username, password, search, hash } = new URL(endpoint);
  return /^https?:$/.test(protocol) && username === "" && password === "" && search === "" && hash === "";
}
