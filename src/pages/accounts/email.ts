import { domainToASCII } from "node:url";
import { ReplicaError } from "../../errors.js";

/** As RFC 5321 bounds what a mail server takes: 4.5.3.1.3, less the two angle brackets. */
const MAX_EMAIL_BYTES = 254;
const MAX_LOCAL_BYTES = 64;

/**
 * The one form of an address: without space around it, in Unicode's NFC, in small letters on both sides of the `@` (no provider of note tells `Ann@` from
 * `ann@`), the domain as DNS has it. What no mail server would take from a user is refused: quoted names, comments, IP addresses.
 * @throws `INVALID_ACCOUNT` with what is wrong
 */
export function parseEmail(value: unknown): string {
  if (typeof value !== "string" || value.trim() === "") throw invalid("The email is missing");
  // Before it is worked on: every form of a longer one is too long.
  if (value.length > 4 * MAX_EMAIL_BYTES) throw tooLong();
  const text = value.trim().normalize("NFC").toLowerCase();
  const at = text.lastIndexOf("@");
  const local = text.slice(0, Math.max(at, 0));
  if (at < 1 || !/^[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+(\.[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~-]+)*$/u.test(local))
    throw notAnEmail();
  // `domainToASCII` would cut off what is behind a slash, a colon or a question mark.
  const domain = /^[\p{L}\p{M}\p{N}.-]+$/u.test(text.slice(at + 1)) ? domainToASCII(text.slice(at + 1)) : "";
  if (!/^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/.test(domain)) throw notAnEmail();
  const email = `${local}@${domain}`;
  if (Buffer.byteLength(local) > MAX_LOCAL_BYTES || Buffer.byteLength(email) > MAX_EMAIL_BYTES) throw tooLong();
  return email;
}

function notAnEmail(): ReplicaError {
  return invalid("The email is not an address such as ann@example.com");
}

function tooLong(): ReplicaError {
  return invalid(`The email is too long: at most ${MAX_LOCAL_BYTES} bytes before the @ and ${MAX_EMAIL_BYTES} in all`);
}

function invalid(what: string): ReplicaError {
  return new ReplicaError("INVALID_ACCOUNT", what, { hint: "Give an email address that is yours." });
}
